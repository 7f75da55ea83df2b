"""Writes the CORS configuration of the stack's APIs again, and prints the allowed origins.

MiniStack's CloudFormation stores the members in the template's letter case, and its API Gateway reads them in that of the
API. The raw response is read, because the SDK drops members of another letter case.
"""

import json

import boto3

LISTS = ("AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders")

gateway, raw = boto3.client("apigatewayv2"), {}


def remember(http_response, **_):
    raw.update(json.loads(http_response.text))


gateway.meta.events.register("after-call.apigatewayv2.GetApi", remember)
for api in gateway.get_apis(MaxResults="500")["Items"]:
    if not api["Name"].startswith("carillon-local-"):
        continue
    raw.clear()
    gateway.get_api(ApiId=api["ApiId"])
    cors = {name[:1].upper() + name[1:]: value for name, value in (raw.get("corsConfiguration") or {}).items()}
    for name in LISTS:
        if isinstance(cors.get(name), str):
            cors[name] = [value.strip() for value in cors[name].split(",")]
    if "MaxAge" in cors:
        cors["MaxAge"] = int(cors["MaxAge"])
    if cors:
        gateway.update_api(ApiId=api["ApiId"], CorsConfiguration=cors)
        print(",".join(cors.get("AllowOrigins", [])))
