// Everything that a ledger answers, as one text: two ledgers with the same text tell the same.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "ledger/documents.h"
#include "ledger/position.h"
#include "ledger/usage_query.h"
#include "schemas/usage_table.h"

namespace gauger::testing {

inline std::string usage_text(const UsageTable& table) {
  std::vector<std::string> rows;
  for (const auto& row : table.rows) {
    const auto& key = table.key(row);
    std::string line =
        std::to_string(row.period.time_since_epoch().count()) + ' ' +
        std::string(table.text(key.name_space)) + '/' + std::string(table.text(key.team)) + '/' +
        std::string(table.text(key.model)) + '/' + std::to_string(static_cast<int>(key.outcome)) +
        ' ' + std::to_string(row.requests);
    for (const auto count : row.counts) line += ' ' + std::to_string(count);
    rows.push_back(std::move(line));
  }
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const auto& row : rows) text += row + '\n';
  return text;
}

inline std::string positions_text(const std::vector<ledger::Position>& positions) {
  std::vector<std::string> rows;
  for (const auto& position : positions)
    rows.push_back(position.source + '/' + std::to_string(position.partition) + ' ' +
                   std::to_string(position.next_offset) + ' ' + std::to_string(position.records));
  std::sort(rows.begin(), rows.end());
  std::string text;
  for (const auto& row : rows) text += row + '\n';
  return text;
}

// Every version of the documents of a kind, with its content.
inline Result<std::string> documents_text(const ledger::Documents& documents,
                                          std::string_view kind) {
  std::string text;
  TRY(documents.each("default", kind, [&](const ledger::DocumentVersion& version) -> Result<bool> {
    TRY(const auto document, documents.read(version));
    text += version.key.id + ' ' + std::to_string(version.version) + ' ' + document.content + '\n';
    return true;
  }));
  return text;
}

}  // namespace gauger::testing
