// The page, and a socket over which a browser hears of every value that was asked for.
const http = require("http");
const polka = require("polka");
const { WebSocketServer } = require("ws");
const { title } = require("./title");

const server = http.createServer();
const sockets = new WebSocketServer({ server, path: "/ws" });
sockets.on("connection", (socket) => {
  socket.on("message", (text) => socket.send(`heard ${text}`));
});

polka({ server })
  .get("/", (request, answer) => answer.end(`<h1>${title}</h1>\n`))
  .listen(3000, () => console.log(`${process.env.NODE_ENV || "production"} server on 3000`));
