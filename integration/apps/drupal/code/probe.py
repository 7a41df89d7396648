"""Whether the site answers."""

from urllib.request import urlopen

urlopen("http://127.0.0.1/", timeout=5).read()
