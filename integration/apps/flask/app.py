"""One page, and one that keeps what was posted in a file of a volume."""

import os

from flask import Flask, request

app = Flask(__name__)
path = os.environ["NOTES"]


@app.get("/")
def index():
    return "Hello from Flask\n"


@app.route("/notes", methods=["GET", "POST"])
def notes():
    if request.method == "POST":
        with open(path, "a") as file:
            file.write(request.args["text"] + "\n")
    with open(path, "a+") as file:
        file.seek(0)
        return file.read()
