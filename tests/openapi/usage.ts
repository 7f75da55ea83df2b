// Programs that TypeScript must accept with the types that openapi-typescript makes of the document.
import type { components, operations, paths, webhooks } from "./carillon.js";

type Schemas = components["schemas"];

export const patch: Schemas["RecipientPatch"] = { locale: "de", phone: null, topics_in: { acme: ["project:42"] } };
export const preferences: Schemas["Preferences"] = {
  channel_types: { email: true, sms: false },
  commercial_subscribed: true,
  workflows: { "invoice-overdue": false },
  categories: { lab: { channel_types: { email: false, __strategy__: "replace" }, conditions: [{ source: ["lab"] }] } },
};
export const quiet: Schemas["Quiet"] = { quiet: { start: "22:00", end: "07:00", days: ["fri"] } };
export const rows: Schemas["Quiet"] = [{ day: "sun", type: "do_not_send" }];
export const channel: Schemas["Channel"] = "webhook";
export const device: operations["putDevice"]["requestBody"]["content"]["application/json"] = {
  platform: "fcm",
  token: "t",
};
export const mark: operations["markInbox"]["requestBody"]["content"]["application/json"] = { as: "seen", all: true };
export const endpoint: operations["putEndpoint"]["requestBody"]["content"]["application/json"] = {
  url: "https://erp.example.com/hooks",
  headers: { Authorization: "Bearer k" },
  when: { "detail-type": [{ prefix: "booking." }] },
};

export function handle(message: webhooks["event"]["post"]["requestBody"]["content"]["application/json"]): string {
  return `${message.type} at ${message.timestamp}`;
}

export function names(answer: paths["/v1/recipients/{id}"]["get"]["responses"]["200"]["content"]["application/json"]) {
  return [answer.name ?? "", ...(answer.tenants ?? [])];
}

// @ts-expect-error no such channel
export const noChannel: Schemas["Channel"] = "pigeon";
// @ts-expect-error no such day
export const noDay: Schemas["Quiet"] = [{ day: "someday", type: "send" }];
// @ts-expect-error a preference is a boolean
export const noPreference: Schemas["Preferences"] = { channel_types: { email: "yes" } };
