<?php
// Counts visits in a file that only the server's user may write.
$file = '/var/lib/visits/count';
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    file_put_contents($file, 1 + (int) @file_get_contents($file), LOCK_EX);
}
$user = posix_getpwuid(posix_geteuid())['name'];
printf("PHP %d, visits: %d, as %s\n", PHP_MAJOR_VERSION, (int) @file_get_contents($file), $user);
