// Computes each value that is asked for.
const { createClient } = require("redis");

function fibonacci(index) {
  return index < 2 ? 1 : fibonacci(index - 1) + fibonacci(index - 2);
}

async function main() {
  const store = createClient({ url: "redis://redis:6379" });
  const asked = store.duplicate();
  await store.connect();
  await asked.connect();
  await asked.subscribe("asked", (index) => store.hSet("values", index, fibonacci(Number(index))));
  console.log("worker is ready");
}

main();
