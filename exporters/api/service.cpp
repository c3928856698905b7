#include "exporters/api/service.h"

#include <condition_variable>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "exporters/api/metrics_cache.h"
#include "schemas/thread_priority.h"

namespace gauger::exporters {
namespace {

// The segments of "/v1/terms/{kind}", without the slashes.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  for (size_t begin = 1; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

// Routes by their number of segments, split once.
struct SplitRoute {
  const Route* route;
  std::vector<std::string_view> segments;
};

const std::vector<std::vector<SplitRoute>>& split_routes() {
  static const auto split = [] {
    std::vector<std::vector<SplitRoute>> by_count;
    for (const auto& route : routes()) {
      auto segments = segments_of(route.path);
      if (by_count.size() <= segments.size()) by_count.resize(segments.size() + 1);
      by_count[segments.size()].push_back({&route, std::move(segments)});
    }
    return by_count;
  }();
  return split;
}

// Those without parameters, by path.
const Route* find_plain_route(std::string_view path, Method method) {
  static const auto by_path = [] {
    std::unordered_multimap<std::string_view, const Route*> known;
    for (const auto& route : routes())
      if (route.path.find('{') == std::string_view::npos) known.emplace(route.path, &route);
    return known;
  }();
  const auto [begin, end] = by_path.equal_range(path);
  for (auto at = begin; at != end; ++at)
    if (at->second->method == method) return at->second;
  return nullptr;
}

bool matches(const SplitRoute& route, std::span<const std::string_view> segments,
             std::vector<std::string>& parameters) {
  parameters.clear();
  for (size_t i = 0; i < segments.size(); ++i) {
    if (route.segments[i].starts_with('{'))
      parameters.emplace_back(segments[i]);
    else if (route.segments[i] != segments[i])
      return false;
  }
  return true;
}

bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) return host.starts_with("[::1]");
  const auto name = host.substr(0, host.find(':'));
  return name == "localhost" || name == "127.0.0.1" || name.starts_with("127.");
}

}  // namespace

std::string_view Call::query(std::string_view name) const {
  for (const auto& [key, value] : head.query)
    if (key == name) return value;
  return {};
}

// The workers of the slow lane.
struct Service::Impl {
  MetricsCache metrics;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> waiting;
  bool stopping = false;
  std::vector<std::thread> workers;

  mutable std::mutex count_mutex;
  std::map<std::pair<std::string_view, unsigned>, uint64_t> answered;

  void count(std::string_view operation, unsigned status) {
    const std::lock_guard guard(count_mutex);
    ++answered[{operation, status}];
  }

  bool enqueue(std::function<void()> work) {
    {
      const std::lock_guard guard(mutex);
      if (stopping || waiting.size() >= limits::http_slow_requests_max) return false;
      waiting.push_back(std::move(work));
    }
    changed.notify_one();
    return true;
  }

  void work() {
    for (;;) {
      std::function<void()> next;
      {
        std::unique_lock guard(mutex);
        changed.wait(guard, [&] { return stopping || !waiting.empty(); });
        if (waiting.empty()) return;
        next = std::move(waiting.front());
        waiting.pop_front();
      }
      next();
    }
  }
};

Service::Service(ledger::Ledger& ledger, Committer& committer, TokenBook& tokens, AuditLog* audit,
                 const Clock& clock, ServiceConfig config)
    : ledger_(ledger),
      committer_(committer),
      tokens_(tokens),
      audit_(audit),
      clock_(clock),
      config_(config),
      quotas_(ledger, tokens),
      idempotency_(clock),
      impl_(std::make_unique<Impl>()) {
  for (unsigned i = 0; i < std::max(1U, config.slow_threads); ++i)
    impl_->workers.emplace_back([this] {
      run_behind();
      impl_->work();
    });
}

Service::~Service() { stop(); }

MetricsCache& Service::metrics() { return impl_->metrics; }

void Service::stop() {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  for (auto& worker : impl_->workers)
    if (worker.joinable()) worker.join();
}

Service::Authenticated Service::authenticate(const RequestHead& head) const {
  const auto authorization = head.header("authorization");
  if (authorization.empty()) {
    if (!config_.open_to_loopback || !tokens_.empty())
      return {std::nullopt, "the request carries no access token"};
    // A page in a browser of this machine can reach us by another name, and must not.
    if (!head.peer_is_loopback || !is_loopback_host(head.header("host")))
      return {std::nullopt, "without access tokens only clients of this machine are served"};
    Principal principal;
    principal.name = "loopback";
    return {principal, {}};
  }
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size() ||
      !std::equal(scheme.begin(), scheme.end(), authorization.begin(),
                  [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); }))
    return {std::nullopt, "the Authorization header is not 'Bearer' and an access token"};
  const auto secret = authorization.substr(scheme.size());
  if (!is_well_formed_token(secret))
    return {std::nullopt, "the access token is not one of this service's, or was copied badly"};
  if (auto principal = tokens_.find(secret, clock_.now())) return {std::move(principal), {}};
  return {std::nullopt, "the access token is not known, was revoked, or has expired"};
}

Admission Service::admit(RequestHead head) {
  if (const auto* route = find_plain_route(head.path, head.method)) {
    Call call;
    call.route = route;
    call.head = std::move(head);
    return admit_call(std::move(call));
  }
  const auto segments = segments_of(head.path);
  const auto& by_count = split_routes();
  Call call;
  std::string allowed;
  auto fewest = std::numeric_limits<size_t>::max();
  if (segments.size() < by_count.size()) {
    for (const auto& candidate : by_count[segments.size()]) {
      std::vector<std::string> parameters;
      if (!matches(candidate, segments, parameters)) continue;
      // A path that is spelled out goes before one with a parameter in its place.
      if (parameters.size() > fewest) continue;
      if (parameters.size() < fewest) {
        allowed.clear();
        call.route = nullptr;
      }
      fewest = parameters.size();
      const auto method = candidate.route->method;
      const bool fits =
          method == head.method || (head.method == Method::head && method == Method::get);
      if (fits) {
        call.route = candidate.route;
        call.parameters = std::move(parameters);
        continue;
      }
      allowed += (allowed.empty() ? "" : ", ") + std::string(to_string(method));
      if (method == Method::get) allowed += ", HEAD";
    }
  }
  call.head = std::move(head);
  if (call.route == nullptr) {
    impl_->count("none", allowed.empty() ? 404 : 405);
    if (allowed.empty())
      return problem(Problem::not_found,
                     "there is no operation at this path; see /v1/openapi.yaml");
    auto response = problem(Problem::method_not_allowed, "this path takes " + allowed);
    response.headers.emplace_back("Allow", allowed);
    return response;
  }
  auto admission = admit_call(std::move(call));
  return admission;
}

Admission Service::admit_call(Call call) {
  const auto& route = *call.route;
  const auto refuse = [&](Response response) {
    impl_->count(route.operation, response.status);
    return response;
  };
  if (route.roles != 0) {
    auto [principal, why] = authenticate(call.head);
    if (!principal) {
      audit_denial(call.head, nullptr, route.operation, Problem::unauthenticated);
      return refuse(problem(Problem::unauthenticated, why));
    }
    if ((route.roles & mask_of(principal->role)) == 0) {
      audit_denial(call.head, &*principal, route.operation, Problem::forbidden);
      return refuse(
          problem(Problem::forbidden, "the role " + std::string(to_string(principal->role)) +
                                          " does not allow " + std::string(route.operation)));
    }
    call.principal = std::move(*principal);
  }
  for (const auto& [name, value] : call.head.query) {
    if (std::find(route.query.begin(), route.query.end(), name) == route.query.end())
      return refuse(problem(Problem::invalid_request,
                            "the query parameter '" + name + "' is not known here"));
    // What is a name has the length of one.
    const bool is_name = name != "reason" && name != "cursor" && name != "by";
    if (is_name && value.size() > limits::text_bytes_max)
      return refuse(
          problem(Problem::invalid_request, "the query parameter '" + name + "' is longer than " +
                                                std::to_string(limits::text_bytes_max) + " bytes"));
    if (value.empty())
      return refuse(
          problem(Problem::invalid_request, "the query parameter '" + name + "' has no value"));
  }
  const auto encoding = call.head.header("content-encoding");
  if (!encoding.empty() && encoding != "identity")
    return refuse(problem(Problem::unsupported_media_type, "bodies come without compression"));
  auto shared = std::make_shared<Call>(std::move(call));
  return Admitted{route.body_bytes_max, [this, shared](std::string body, Reply reply) {
                    shared->body = std::move(body);
                    answer(std::move(*shared), std::move(reply));
                  }};
}

void Service::answer(Call call, Reply reply) {
  const auto& route = *call.route;
  auto counted = [this, &route, reply = std::move(reply)](Response response) {
    impl_->count(route.operation, response.status);
    reply(std::move(response));
  };
  // Sync handlers answer when they return, the others when they call back.
  auto run = [this, &route](Call&& admitted, Reply answered) {
    if (const auto* handler = std::get_if<Answer>(&route.handler))
      return answered((*handler)(*this, admitted));
    std::get<AnswerLater>(route.handler)(*this, std::move(admitted), std::move(answered));
  };
  if (route.lane == Lane::quick) return run(std::move(call), std::move(counted));
  auto shared = std::make_shared<Call>(std::move(call));
  if (!impl_->enqueue([run, shared, counted] { run(std::move(*shared), counted); }))
    counted(problem(Problem::overloaded, "too many requests wait for the disk"));
}

void Service::audit_denial(const RequestHead& head, const Principal* principal,
                           std::string_view operation, Problem type) {
  if (audit_ == nullptr) return;
  AuditRecord record;
  if (principal != nullptr) {
    record.actor = principal->author();
    record.name_space = principal->name_space;
  }
  record.peer = head.peer;
  record.action = operation;
  record.target = head.path;
  record.outcome = text_of(type).type;
  audit_->denial(record);
}

Result<void> Service::audit_change(const Call& call, std::string_view target) {
  if (audit_ == nullptr) return success();
  return audit_->change({call.principal.author(), call.principal.name_space, call.head.peer,
                         std::string(call.route->operation), std::string(target), "done"});
}

std::vector<Service::Counted> Service::answered() const {
  std::vector<Counted> all;
  const std::lock_guard guard(impl_->count_mutex);
  for (const auto& [key, count] : impl_->answered) all.push_back({key.first, key.second, count});
  return all;
}

}  // namespace gauger::exporters
