// The whole company's month: every contract rated and handed down, what no contract covers, and
// from them the invoice of one bill-to. Contracts have months of their own time zones; a company
// that invoices by calendar months of its own keeps them the same.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "billing/contracts/allocation_document.h"

namespace gauger::billing {

struct CompanyTerms {
  std::vector<Contract> contracts;
  PriceBooks books;
  std::vector<CapacityRecords> capacity;
  std::optional<ModelCatalog> catalog = {};
  std::map<std::string, ContractHistory, std::less<>> history = {};  // by contract
  bool proposals = false;                                            // see ContractTerms

  // The parts of one contract; `this` and the contract outlive it.
  ContractTerms of(const Contract& contract) const;
};

struct CompanyMonth {
  int32_t month = 0;
  std::vector<ContractMonth> contracts;         // in the order of the terms
  std::vector<AllocationDocument> allocations;  // one per contract
  std::vector<Unpriced> uncontracted;           // keys of the usage table
};

// Usage that names no team comes from a ledger as that of the team `unattributed`. In money it has
// none, and its cost is `unallocated`.
void leave_unattributed(UsageTable& usage);

// conflict where contracts overlap; otherwise as rate_contract().
Result<CompanyMonth> rate_company(const UsageTable& usage, const CompanyTerms& terms,
                                  int32_t month);

// The cost invoice of the named teams: lines of every contract, as allocated. One invoice has one
// currency, so there is one per currency, by its code. Usage of the teams that no contract
// covers blocks each of them.
std::vector<InvoiceDraft> company_invoices(const CompanyMonth& company, const UsageTable& usage,
                                           const InvoiceRequest& request);

}  // namespace gauger::billing
