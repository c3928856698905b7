// How a sub-command of `gauger` is made: a file <name>_command.cpp with one function that adds
// it to the parser and says what to run. The handler parses flags and calls a module; rules
// live in the modules.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "schemas/result.h"

namespace gauger::tools {

// Set by the sub-command that was given; run after parsing.
using Run = std::function<Result<void>()>;

// Exit codes, documented in README.md: 0 done, 1 failed (disk, broker, damage, or a check that
// found something), 2 a flag, file or document that cannot be meant: nothing was written.
int exit_code(const Error& error);

enum class Output { table, json, csv };
// Adds --output table|json|csv.
void add_output_option(CLI::App& command, Output& output);

void add_ingest_command(CLI::App& app, Run& run);
void add_usage_command(CLI::App& app, Run& run);
void add_invoice_command(CLI::App& app, Run& run);
void add_reattribute_command(CLI::App& app, Run& run);
void add_quarantine_command(CLI::App& app, Run& run);
void add_verify_command(CLI::App& app, Run& run);
void add_quote_command(CLI::App& app, Run& run);
void add_catalog_command(CLI::App& app, Run& run);
void add_quota_command(CLI::App& app, Run& run);
void add_reconcile_command(CLI::App& app, Run& run);
void add_savings_command(CLI::App& app, Run& run);
void add_terms_command(CLI::App& app, Run& run);
void add_cost_command(CLI::App& app, Run& run);
void add_allocation_command(CLI::App& app, Run& run);
void add_rerate_command(CLI::App& app, Run& run);
void add_export_command(CLI::App& app, Run& run);
void add_compare_command(CLI::App& app, Run& run);
void add_bridge_command(CLI::App& app, Run& run);
void add_serve_command(CLI::App& app, Run& run);
void add_token_command(CLI::App& app, Run& run);
void add_backup_command(CLI::App& app, Run& run);
void add_restore_command(CLI::App& app, Run& run);
void add_rebuild_command(CLI::App& app, Run& run);

}  // namespace gauger::tools
