import { element } from "./elements.ts";
import type { FrameLog } from "./frame-log.ts";
import { parse } from "./frame-log.ts";

/** The address of the WebSocket of the server that has sent this page. */
export const address = `${location.protocol.replace("http", "ws")}//${location.host}`;

/** Log-in, and the one WebSocket of the console. Tokens are kept in memory only. */
export class Connection {
  private readonly state = element("#connection-state", HTMLElement);
  private readonly error = element("#connection-error", HTMLElement);
  private readonly forms = element("#connect", HTMLElement);
  private readonly disconnectButton = element("#disconnect", HTMLButtonElement);
  private socket: WebSocket | undefined;
  /** Of a session that the console has started, and ends when it disconnects. */
  private ownToken: string | undefined;

  constructor(
    private readonly subprotocol: string,
    private readonly log: FrameLog,
  ) {
    onSubmit("#log-in", (form) => this.logIn(form));
    onSubmit("#use-token", async (form) => this.open(field(form, "token").trim(), "with the token"));
    this.disconnectButton.addEventListener("click", () => void this.disconnect());
  }

  /** @returns whether there is an open socket to send the frame */
  send(frame: string): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      this.error.textContent = "Log in first.";
      return false;
    }
    this.socket.send(frame);
    this.log.add("sent", frame);
    return true;
  }

  private async logIn(form: HTMLFormElement): Promise<void> {
    this.error.textContent = "";
    const body = JSON.stringify({ email: field(form, "email"), password: field(form, "password") });
    try {
      const response = await fetch("/auth/login", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
      });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.detail ?? answer.title);
      this.ownToken = answer.token;
      form.reset();
      this.open(answer.token, `as ${answer.user.firstName} (user ${answer.user.id})`);
    } catch (error) {
      this.error.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  /** @param who for the line that says what the console is connected as */
  private open(token: string, who: string): void {
    this.error.textContent = "";
    let socket: WebSocket;
    try {
      socket = new WebSocket(address, [this.subprotocol, `bearer.${token}`]);
    } catch {
      this.error.textContent = "This is not a token.";
      return;
    }
    this.socket = socket;
    let wasOpen = false;
    this.show("Connecting…", { isConnected: true });
    socket.addEventListener("open", () => {
      wasOpen = true;
      this.show(`Connected ${who}.`, { isConnected: true });
      this.log.add("event", `Connected ${who}`);
    });
    socket.addEventListener("message", ({ data }) => this.receive(String(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      this.show("Not connected.", { isConnected: false });
      if (wasOpen) this.log.add("event", `Closed with code ${code}${reason ? ` (${reason})` : ""}`);
      else this.error.textContent = "The server has rejected the connection. Is the token valid?";
    });
  }

  private receive(text: string): void {
    const frame = parse(text);
    const { isBroadcast } = Object(frame?.params);
    this.log.add(frame?.error === true ? "error" : isBroadcast === true ? "push" : "answer", text);
  }

  private async disconnect(): Promise<void> {
    const token = this.ownToken;
    this.ownToken = undefined;
    this.socket?.close(1000);
    if (token === undefined) return;
    await fetch("/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${token}` } }).catch(() => {});
  }

  private show(state: string, { isConnected }: { isConnected: boolean }): void {
    const hadFocus = document.activeElement === this.disconnectButton || this.forms.contains(document.activeElement);
    this.state.textContent = state;
    this.forms.hidden = isConnected;
    this.disconnectButton.hidden = !isConnected;
    // What had the focus may be hidden now.
    if (hadFocus && isConnected) element("#type", HTMLSelectElement).focus();
    else if (hadFocus) element("#log-in input", HTMLInputElement).focus();
  }
}

function onSubmit(selector: string, handle: (form: HTMLFormElement) => Promise<void>): void {
  const form = element(selector, HTMLFormElement);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void handle(form);
  });
}

const field = (form: HTMLFormElement, name: string): string => String(new FormData(form).get(name) ?? "");
