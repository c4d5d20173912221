// A chat from the first word to the last; that it compiles shows that the types fit the API.
import { connect, follow, isProblem } from "../src/index.js";

const baseUrl = "http://localhost:8080";

export async function chat(email: string, password: string, question: string): Promise<string> {
  const anyone = connect({ baseUrl });
  const { data: welcome, error } = await anyone.POST("/v1/sessions", { body: { email, password } });
  if (isProblem(error, "wrong-credentials")) throw new Error(error.title);
  if (!welcome) throw new Error("Fido cannot be reached");

  const fido = connect({ baseUrl, token: welcome.token });
  const { data: conversation } = await fido.POST("/v1/conversations", {
    body: { copilot: "business_plan_architect" },
  });
  if (!conversation) throw new Error("no conversation");

  const params = { path: { conversation_id: conversation.id } };
  const { data: posted } = await fido.POST("/v1/conversations/{conversation_id}/messages", {
    params,
    body: { text: question },
  });
  if (!posted) throw new Error("not posted");

  const frames = follow({ baseUrl, token: welcome.token, after: posted.position });
  for await (const frame of frames) {
    if (frame.event === "conversation.reply_completed") break;
  }
  const { data: transcript } = await fido.GET("/v1/conversations/{conversation_id}/messages", {
    params: { ...params, query: { order: "desc", limit: 1 } },
  });
  return transcript?.items[0]?.text ?? "";
}
