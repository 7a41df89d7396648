"""GET / tells the votes."""

from database import connect
from server import serve


def result(path):
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('votes')")
        if cursor.fetchone()[0] is None:
            return ""
        cursor.execute("select name, count from votes order by name")
        return "".join(f"{name}: {count}\n" for name, count in cursor.fetchall())


serve(result)
