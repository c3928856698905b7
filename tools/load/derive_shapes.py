#!/usr/bin/env python3
"""Writes trace_shapes.cpp: what the synthetic traffic takes from real traces.

usage: derive_shapes.py DIRECTORY > trace_shapes.cpp

DIRECTORY holds azure_llm_2023_{code,conv}.csv, burstgpt_1_first400.csv,
mooncake_conversation.jsonl.gz, cc_traces_claude_code_5000.jsonl.gz and
servegen_client_rates_msmall_reason.csv.gz. Only order statistics and hourly
sums leave this script: 129 quantiles per quantity, 168 weights of a week.
"""
import csv
import gzip
import json
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

POINTS = 129
directory = Path(sys.argv[1])


def quantiles(values):
    """The i/128 quantiles by linear interpolation, rounded down. The last one is the 511/512
    quantile: between the next to last and the maximum a line would invent a heavy tail."""
    ordered = sorted(values)
    points = []
    for share in [Fraction(i, POINTS - 1) for i in range(POINTS - 1)] + [Fraction(511, 512)]:
        position = share * (len(ordered) - 1)
        below = int(position)
        above = min(below + 1, len(ordered) - 1)
        points.append(int(ordered[below] + (ordered[above] - ordered[below]) * (position - below)))
    return points


def csv_rows(name):
    with open(directory / name, newline="") as file:
        return list(csv.DictReader(file))


def json_rows(name):
    with gzip.open(directory / name, "rt") as file:
        return [json.loads(line) for line in file]


shapes = []  # name, source, unit, quantiles


def add(name, source, unit, values):
    shapes.append((name, source, unit, quantiles(values)))


def micros(seconds):
    return round(seconds * 1_000_000)


def azure(name, file, title):
    rows = csv_rows(file)
    source = f"AzurePublicDataset, {title} (CC-BY-4.0)"
    add(f"{name}_input", source, "prompt tokens", [int(r["ContextTokens"]) for r in rows])
    add(f"{name}_output", source, "generated tokens", [int(r["GeneratedTokens"]) for r in rows])


def burstgpt():
    rows = [r for r in csv_rows("burstgpt_1_first400.csv") if int(r["Total tokens"]) > 0]
    source = "BurstGPT, first 400 rows (CC-BY-4.0)"
    add("chat_input", source, "request tokens", [int(r["Request tokens"]) for r in rows])
    add("chat_output", source, "response tokens", [int(r["Response tokens"]) for r in rows])


def mooncake():
    rows = json_rows("mooncake_conversation.jsonl.gz")
    source = "Mooncake, conversation_trace (Apache-2.0)"
    seen, cached_permille = set(), []
    for row in rows:
        known = 0
        for block in row["hash_ids"]:
            if block not in seen:
                break
            known += 1
        seen.update(row["hash_ids"])
        cached = min(known * 512, row["input_length"])
        cached_permille.append(cached * 1000 // row["input_length"])
    add("document_input", source, "prompt tokens", [r["input_length"] for r in rows])
    add("document_output", source, "generated tokens", [r["output_length"] for r in rows])
    add("document_cached_permille", source, "prompt tokens in a prefix seen before, per thousand",
        cached_permille)


def claude_code():
    rows = json_rows("cc_traces_claude_code_5000.jsonl.gz")
    source = "cc-traces-weka, Claude Code sessions (Apache-2.0)"
    sessions = defaultdict(list)
    for row in rows:
        sessions[row["session_id"]].append(row)
    growth = []
    for session in sessions.values():
        for before, after in zip(session, session[1:]):
            growth.append(max(after["input_tokens"] - before["input_tokens"], 0))
    timed = [r for r in rows if "ttft_s" in r and r["output_tokens"] > 0]
    add("agent_first_input", source, "context of a session's first request, tokens",
        [s[0]["input_tokens"] for s in sessions.values()])
    add("agent_input_growth", source, "tokens that a request's context grew by", growth)
    add("agent_output", source, "output tokens", [r["output_tokens"] for r in rows])
    add("agent_turns", source, "requests per session", [len(s) for s in sessions.values()])
    add("agent_think_us", source, "us between an answer and the next request",
        [micros(r["think_time_s"]) for r in rows if "think_time_s" in r])
    add("first_token_us", source, "us to the first token", [micros(r["ttft_s"]) for r in timed])
    add("output_token_us", source, "us per further output token",
        [max(micros(r["api_time_s"]) - micros(r["ttft_s"]), 0) // r["output_tokens"]
         for r in timed])


def servegen():
    with gzip.open(directory / "servegen_client_rates_msmall_reason.csv.gz", "rt") as file:
        rows = [r for r in csv.DictReader(file) if r["category"] == "language/m-small"]
    source = "ServeGen, language/m-small, all clients (Apache-2.0)"
    hours = [Fraction(0)] * 168
    per_client_hour = defaultdict(list)
    for row in rows:
        hour = int(row["window_start_s"]) // 3600
        rate = Fraction(row["requests_per_s"])
        hours[hour % 168] += rate
        per_client_hour[row["client"], hour].append(rate)
    total = sum(hours)
    ratios = []
    for rates in per_client_hour.values():
        # Windows without a request were dropped from the file; an hour has six.
        mean = sum(rates) / 6
        ratios += [int(rate * 1000 / mean) for rate in rates] + [0] * (6 - len(rates))
    add("burst_permille", source,
        "a client's requests in ten minutes, per thousand of its hour's mean", ratios)
    return source, [int(hour * 168_000 / total) for hour in hours]


def print_numbers(numbers):
    line = "   "
    for number in numbers:
        text = f" {number},"
        if len(line) + len(text) > 98:
            print(line)
            line = "   "
        line += text
    print(line)


azure("code", "azure_llm_2023_code.csv", "LLM inference trace 2023, code")
azure("conversation", "azure_llm_2023_conv.csv", "LLM inference trace 2023, conversation")
burstgpt()
mooncake()
claude_code()
week_source, week = servegen()

print("// Written by derive_shapes.py; do not edit. The sources are named beside each table.")
print('#include "tools/load/trace_shapes.h"')
print()
print("// clang-format off")
print()
print("namespace gauger::load::shapes {")
for name, source, unit, points in shapes:
    print(f"\n// {source}:\n// {unit}.")
    print(f"const Quantiles {name} = {{{{")
    print_numbers(points)
    print("}};")
print(f"\n// {week_source}:\n// requests per hour of a week, per thousand of the mean hour.")
print("const std::array<uint32_t, 168> week_permille = {")
print_numbers(week)
print("};")
print("\n}  // namespace gauger::load::shapes")
