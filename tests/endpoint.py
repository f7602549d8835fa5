"""A real chat endpoint on this machine that misbehaves on purpose: busy, broken, slow, cut off, off the schema."""

import json
import random
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HAN = "山水桥灯院巷米茶船纸笔门窗雨雪风花树石路街镇村田河湖井塔楼台亭船帆钟鼓琴棋书画诗酒饭菜瓜果豆麦稻"
WORDS = [
    "apple",
    "barn",
    "candle",
    "door",
    "elm",
    "fence",
    "gate",
    "hill",
    "ink",
    "jar",
    "kettle",
    "lamp",
    "map",
    "nail",
    "oar",
    "path",
    "quilt",
    "rope",
    "sail",
    "tent",
    "urn",
    "vase",
    "wall",
    "yard",
    "zinc",
    "acorn",
    "brook",
    "cliff",
    "drum",
    "easel",
    "flute",
    "grove",
    "hedge",
    "inlet",
    "knot",
    "ledge",
    "moss",
    "nest",
    "orchard",
    "pier",
    "quarry",
    "reed",
    "slate",
    "thread",
]
MISDEEDS = ("429", "500", "html", "no choices", "slow", "cut", "prose", "missing", "empty", "drop", "unclosed", "length")


def answer_for(prompt, system):
    """What a good writer says: every key asked for, in the language asked for, different for every prompt."""
    keys = re.search(r"with exactly these keys, .*?: ([\w, ]+?)\.", system)[1].split(", ")
    rng = random.Random(prompt)
    chinese = "natural Chinese" in system

    def text(key):
        if chinese:
            return "".join(rng.choices(HAN, k=24))
        return " ".join([key.replace("_", " "), *rng.choices(WORDS, k=14)])

    return {key: text(key) for key in keys}


class Endpoint:
    """State of a running server. `plan(number, prompt)` names a misdeed for the request, or "" for a good answer."""

    def __init__(self, plan, delay=0.0):
        self.plan, self.delay = plan, delay
        self.lock, self.prompts, self.done, self.keys, self.times = threading.Lock(), [], Counter(), set(), []
        self.conversations, self.template_arguments = [], []
        self.url = ""


@contextmanager
def running(plan=lambda number, prompt: "", delay=0.0):
    state = Endpoint(plan, delay)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def reply(self, status, body, headers=()):
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            system, prompt = asked["messages"][0]["content"], asked["messages"][1]["content"]
            with state.lock:
                number = len(state.prompts)
                state.prompts.append(prompt)
                state.times.append(time.monotonic())
                state.conversations.append(asked["messages"])
                state.template_arguments.append(asked.get("chat_template_kwargs"))
                state.keys.add(self.headers.get("Authorization", ""))
            misdeed = state.plan(number, prompt)
            time.sleep(state.delay)
            good = answer_for(prompt, system)
            content = json.dumps(good, ensure_ascii=False)
            if misdeed == "429":
                return self.reply(429, b'{"error": {"message": "busy"}}', [("Retry-After", "0.05")])
            if misdeed in ("500", "401", "400"):
                return self.reply(int(misdeed), f'{{"error": {{"message": "told {self.headers["Authorization"]}"}}}}'.encode())
            if misdeed == "html":
                return self.reply(200, b"<html>gateway</html>", [])
            if misdeed == "no choices":
                return self.reply(200, b'{"id": "x", "object": "chat.completion", "choices": []}')
            if misdeed == "drop":
                return self.connection.close()
            if misdeed == "slow":
                time.sleep(1.2)
            content = {
                "cut": content[: len(content) // 2],
                "prose": "I would rather not.",
                "missing": json.dumps({"other": "field"}),
                "empty": json.dumps(dict.fromkeys(good, " ")),
                "fenced": f"Here it is:\n```json\n{content}\n```",
                "thought": f'<think>\n{{"topic": "a first try"}}, no.\n</think>\n\n{content}',
                "unclosed": f"<think>\n{content}",
                "same": '{"description": "the same words every time, told to you again"}',
            }.get(misdeed, content)
            said = None if misdeed in ("silent", "length") else content
            ended = "length" if misdeed in ("length", "unclosed") else "stop"
            body = {
                "id": "x", "object": "chat.completion", "created": 1, "model": asked["model"],
                "choices": [{"index": 0, "finish_reason": ended, "message": {"role": "assistant", "content": said}}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }  # fmt: skip
            with state.lock:
                state.done[prompt] += misdeed in ("", "fenced", "thought")
            return self.reply(200, json.dumps(body).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *arguments: None  # a client that went away
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
