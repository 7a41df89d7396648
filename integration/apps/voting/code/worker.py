"""Moves votes from redis to PostgreSQL."""

import redis
from database import connect

client = redis.Redis(host="redis")
with connect() as connection, connection.cursor() as cursor:
    cursor.execute("create table if not exists votes (name text primary key, count int not null)")
while True:
    _, name = client.blpop("votes")
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into votes values (%s, 1) on conflict (name) do update set count = votes.count + 1",
            [name.decode()],
        )
