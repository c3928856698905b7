// What most handlers need: content negotiation, pages, JSON bodies, and waiting for the writer.
#pragma once

#include <initializer_list>

#include "billing/document.h"
#include "exporters/api/service.h"

namespace gauger::exporters {

// --- forms ----------------------------------------------------------------------------------

// FOCUS 1.2 rows are CSV, under a media type of their own.
enum class Form : uint8_t { json, csv, text, pdf, focus };
// The first of `offered` that the client likes best by its Accept header.
// Else the answer 406.
std::variant<Form, Response> choose_form(const Call& call, std::initializer_list<Form> offered);
std::string_view media_type_of(Form form);
Response ok(std::string body, Form form = Form::json);

// --- pages ----------------------------------------------------------------------------------

// A page of a list in a stable order. A cursor names the last item that was given; it is opaque to
// the client and bound to the query it came from.
struct Page {
  size_t limit = limits::page_rows_default;
  std::string after;  // empty: from the beginning
};
Result<Page> parse_page(const Call& call);
std::string make_cursor(const Call& call, std::string_view last);

// --- bodies ---------------------------------------------------------------------------------

// The body as a JSON object. 415 for another media type.
std::variant<billing::Node, Response> json_body(const Call& call);
// Members of a JSON body. A text is a string, a number is none; documents in YAML are not so
// strict.
Result<std::string> text_of(billing::Fields& fields, std::string_view name);
Result<std::string> text_or(billing::Fields& fields, std::string_view name,
                            std::string_view otherwise);
Result<int64_t> integer_of(const billing::Node& node, int64_t min, int64_t max);
// False where it is absent.
Result<bool> flag_of(billing::Fields& fields, std::string_view name);
// The media type without its parameters, in lower case.
std::string media_type(std::string_view content_type);
// "W/…" and lists of If-None-Match.
bool etag_matches(std::string_view header, std::string_view etag);

// --- idempotency ----------------------------------------------------------------------------

// What to answer through, so that a repeated request with the same Idempotency-Key gets the same
// answer. None: this one has been answered already. Failures of the server are not kept.
std::optional<Reply> once(Service& service, const Call& call, Reply reply);

// --- the writer -----------------------------------------------------------------------------

// Runs `task` on the committing thread, alone, and answers with what it returns.
void answer_from_task(Service& service, Reply reply,
                      std::function<Response(ledger::Ledger& ledger)> task);

int64_t as_json(uint64_t number);

}  // namespace gauger::exporters
