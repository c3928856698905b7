// The readers, one per format; private to billing/reconciliation. Each fills in lines and what the
// file itself declares; statement_reader.cpp adds what the options declare, and checks the whole.
#pragma once

#include "billing/reconciliation/statement_reader.h"

namespace gauger::billing {

using Files = std::span<const ReportFile>;

Result<void> read_anthropic_cost(Files files, const ReadOptions& options, Statement& statement);
Result<void> read_anthropic_usage(Files files, const ReadOptions& options, Statement& statement);
Result<void> read_openai_costs(Files files, const ReadOptions& options, Statement& statement);
Result<void> read_openai_usage(Files files, const ReadOptions& options, Statement& statement);
Result<void> read_aws_cur(Files files, const ReadOptions& options, Statement& statement);
Result<void> read_focus(Files files, const ReadOptions& options, Statement& statement);
Result<void> read_mapped_csv(Files files, const ReadOptions& options, Statement& statement);

}  // namespace gauger::billing
