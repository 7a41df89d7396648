"""POST /NAME votes for NAME."""

import redis
from server import serve

client = redis.Redis(host="redis")


def vote(path):
    client.rpush("votes", path.strip("/"))
    return "voted\n"


serve(vote)
