// Loaded into the grader's processes before its code: tells our side of each port that is opened, and lets "listening"
// through only when the answer came. By the time a grader uses its fixture, the deployments may reach it.
import net from "node:net";

const listener = Number(process.env.CONVEX_EVALS_PORTS);
const emit = net.Server.prototype.emit;

function report(port, done) {
  const socket = net.connect(listener, "127.0.0.1");
  let told = false;
  const finish = () => {
    if (!told) {
      told = true;
      socket.destroy();
      done();
    }
  };
  socket.once("connect", () => socket.write(`${port}\n`));
  socket.once("data", finish);
  socket.once("error", finish);
  socket.once("close", finish);
}

if (listener) {
  net.Server.prototype.emit = function (event, ...rest) {
    const address = event === "listening" ? this.address() : null;
    if (address === null || typeof address === "string") return emit.call(this, event, ...rest);
    report(address.port, () => emit.call(this, event, ...rest));
    return true;
  };
}
