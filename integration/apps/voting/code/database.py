import psycopg2


def connect():
    return psycopg2.connect("host=db dbname=votes user=postgres_user password=postgres")
