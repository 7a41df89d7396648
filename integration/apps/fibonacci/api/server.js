// Values that were asked for are kept in PostgreSQL, and handed to the worker through Redis.
const http = require("http");
const { Pool } = require("pg");
const { createClient } = require("redis");

const database = new Pool();
const store = createClient({ url: "redis://redis:6379" });

const routes = {
  "GET /": async () => "hi\n",
  "GET /values/all": async () => {
    const all = await database.query("SELECT number FROM asked ORDER BY number");
    return JSON.stringify(all.rows.map((row) => row.number)) + "\n";
  },
  "GET /values/current": async () => JSON.stringify(await store.hGetAll("values")) + "\n",
};

async function ask(index) {
  if (Number(index) > 40) return "out of range\n";
  await store.hSet("values", index, "nothing yet");
  await store.publish("asked", index);
  await database.query("INSERT INTO asked (number) VALUES ($1) ON CONFLICT DO NOTHING", [index]);
  return "working\n";
}

async function answer(request, response) {
  try {
    const posted = request.method === "POST" && request.url.match(/^\/values\/(\d+)$/);
    const route = routes[`${request.method} ${request.url}`];
    if (posted) response.end(await ask(posted[1]));
    else if (route) response.end(await route());
    else response.writeHead(404).end("no such page\n");
  } catch (error) {
    console.error(error);
    response.writeHead(500).end("it failed\n");
  }
}

async function main() {
  await store.connect();
  await database.query("CREATE TABLE IF NOT EXISTS asked (number INT PRIMARY KEY)");
  http.createServer(answer).listen(5000, () => console.log("api on 5000"));
}

main();
