exports.title = "Fibonacci";
