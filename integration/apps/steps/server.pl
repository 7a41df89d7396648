#!/usr/bin/perl
# Serves what forty steps have left: /list is what lies in /srv/site, /NAME is a file of it.
use strict;
use warnings;
use File::Find;
use IO::Socket::INET;

my $site = "/srv/site";

sub list {
    my @lines;
    find({ no_chdir => 1, wanted => sub {
        my @about = lstat $_ or die "$_: $!";
        my ($mode, $links, $uid, $gid, $size) = @about[2 .. 5, 7];
        my $what = -l _ ? "-> " . readlink : -d _ ? "folder" : -p _ ? "fifo" : "$size bytes, $links";
        push @lines, sprintf "%s %04o %d:%d %s\n", $_, $mode & 07777, $uid, $gid, $what;
    } }, $site);
    return join "", sort @lines;
}

sub file {
    open my $file, "<", "$site/$_[0]" or return "$_[0]: $!\n";
    return join "", <$file>;
}

my $door = IO::Socket::INET->new(LocalPort => 8080, Listen => 16, ReuseAddr => 1) or die "8080: $!";
print STDERR "forty steps, as $<\n";
while (my $client = $door->accept) {
    my $request = <$client> // "";
    while (<$client>) { last if /^\r?$/ }
    my ($name) = $request =~ m{^GET /(\S*) };
    my $body = defined $name && $name eq "list" ? list() : file($name // "");
    print $client "HTTP/1.0 200 OK\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
    close $client;
}
