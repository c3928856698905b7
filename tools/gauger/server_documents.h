// Posting documents to a running service, for commands with --server.
#pragma once

#include <string>

#include "billing/json_value.h"
#include "tools/gauger/accounting_options.h"
#include "tools/gauger/server_options.h"

namespace gauger::tools {

// Posts the body and prints which version of which document it made, or the answer as JSON.
Result<void> post_document(const ServerOptions& server, std::string path,
                           const billing::JsonValue& body, Output output = Output::table);

// Puts a member there, where it says something.
inline void put_text(billing::JsonValue& body, std::string_view name, const std::string& text) {
  if (!text.empty()) body[name] = text;
}

// --book, --models and --organisation: with --server the ids of posted documents.
inline void put_terms(billing::JsonValue& body, const InvoiceTermsOptions& terms) {
  put_text(body, "price_book", terms.book);
  put_text(body, "model_catalog", terms.models);
  put_text(body, "organisation", terms.organisation);
}
inline void add_terms(QueryText& query, const InvoiceTermsOptions& terms) {
  query.add("price_book", terms.book)
      .add("model_catalog", terms.models)
      .add("organisation", terms.organisation);
}

}  // namespace gauger::tools
