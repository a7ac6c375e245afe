"""The official Python client; in a process of its own, since it holds the interpreter's lock while it waits."""

import json
import sys

import convex

url, admin_key = sys.argv[1:3]
client = convex.ConvexClient(url)
seen = {"before": client.query("messages:list")}
client.mutation("messages:send", {"author": "ann", "body": "one"})
seen["after"] = client.query("messages:list")
seen["action"] = client.action("messages:sendTwice", {"author": "bob", "body": "two"})
values = [1, convex.ConvexInt64(2), b"x", 1.5, None]
seen["echo"] = client.action("messages:echo", {"value": values}) == values
try:
    client.mutation("messages:fail", {"how": "convex"})
except convex.ConvexError as error:
    seen["data"] = error.data == {"code": 7.0, "big": convex.ConvexInt64(2)}
try:
    client.mutation("messages:send", {"author": "ann"})
except Exception as error:  # noqa: BLE001  (it is of no narrower class)
    seen["badArgs"] = str(error)
updates = iter(client.subscribe("messages:count", {"name": "py"}))
seen["live"] = [next(updates)]
for _ in range(3):
    client.mutation("messages:add", {"name": "py"})
    seen["live"].append(next(updates))
client.set_admin_auth(admin_key)
seen["secret"] = client.query("messages:secret")
print(json.dumps(seen))
