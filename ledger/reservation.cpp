// Byte tables, varints where nothing else is said; amounts are 16 bytes.
//   reservation  text namespace, id; zigzag granted at, expires at (microseconds); u64 request
//                hash; count of holds, each: text quota, filters (count, u8 dimension, text),
//                u8 measure, u8 meter, text currency, amount, period
//   section      count, then per record: u8 step, reservation, count of amounts before, each;
//                count of uses, each used and overrun; event period
#include "ledger/reservation.h"

#include "ledger/bytes.h"
#include "schemas/limits.h"

namespace gauger::ledger {
namespace {

void put_hold(std::string& out, const Hold& hold) {
  put_text(out, hold.quota);
  put_varint(out, hold.scope.size());
  for (const auto& filter : hold.scope) {
    put(out, static_cast<uint8_t>(filter.dimension));
    put_text(out, filter.value);
  }
  put(out, static_cast<uint8_t>(hold.measure.kind));
  put(out, static_cast<uint8_t>(hold.measure.meter));
  put_text(out, hold.currency);
  put(out, hold.amount);
  put_varint(out, hold.period);
}

// False where the bytes do not make sense.
bool get_hold(ByteReader& reader, Hold& hold) {
  hold.quota = std::string(reader.text());
  const auto filters = reader.varint();
  for (uint64_t i = 0; i < filters && !reader.bad(); ++i) {
    const auto dimension = reader.get<uint8_t>();
    if (dimension >= dimension_names.size()) return false;
    hold.scope.push_back({static_cast<Dimension>(dimension), std::string(reader.text())});
  }
  const auto kind = reader.get<uint8_t>();
  const auto meter = reader.get<uint8_t>();
  if (kind > static_cast<uint8_t>(QuotaMeasure::Kind::cost) || meter >= meter_count) return false;
  hold.measure = {static_cast<QuotaMeasure::Kind>(kind), static_cast<Meter>(meter)};
  hold.currency = std::string(reader.text());
  hold.amount = reader.get<Int128>();
  hold.period = static_cast<uint32_t>(reader.varint());
  return true;
}

void put_reservation(std::string& out, const Reservation& reservation) {
  put_text(out, reservation.name_space);
  put_text(out, reservation.id);
  put_varint(out, zigzag(to_us(reservation.granted_at)));
  put_varint(out, zigzag(to_us(reservation.expires_at)));
  put(out, reservation.request_hash);
  put_varint(out, reservation.holds.size());
  for (const auto& hold : reservation.holds) put_hold(out, hold);
}

bool get_reservation(ByteReader& reader, Reservation& reservation) {
  reservation.name_space = std::string(reader.text());
  reservation.id = std::string(reader.text());
  reservation.granted_at = instant_from_us(reader.signed_varint());
  reservation.expires_at = instant_from_us(reader.signed_varint());
  reservation.request_hash = reader.get<uint64_t>();
  const auto holds = reader.varint();
  for (uint64_t i = 0; i < holds && !reader.bad(); ++i)
    if (!get_hold(reader, reservation.holds.emplace_back())) return false;
  return !reader.bad();
}

}  // namespace

bool Hold::operator==(const Hold& other) const {
  const auto same = [](const Filter& a, const Filter& b) {
    return a.dimension == b.dimension && a.value == b.value;
  };
  return quota == other.quota && measure == other.measure && currency == other.currency &&
         amount == other.amount && period == other.period &&
         std::equal(scope.begin(), scope.end(), other.scope.begin(), other.scope.end(), same);
}

std::string encode(const Reservation& reservation) {
  std::string out;
  put_reservation(out, reservation);
  return out;
}

Result<Reservation> decode_reservation(std::string_view bytes) {
  ByteReader reader(bytes);
  Reservation reservation;
  if (!get_reservation(reader, reservation) || !reader.complete())
    return corruption("a reservation's record is damaged");
  return reservation;
}

std::string encode_reservations(const std::vector<ReservationRecord>& records) {
  std::string out;
  if (records.empty()) return out;
  put_varint(out, records.size());
  for (const auto& record : records) {
    put(out, static_cast<uint8_t>(record.step));
    put_reservation(out, record.reservation);
    put_varint(out, record.before.size());
    for (const auto amount : record.before) put(out, amount);
    put_varint(out, record.uses.size());
    for (const auto& use : record.uses) {
      put(out, use.used);
      put(out, use.overrun);
    }
    put_varint(out, record.event_period);
  }
  return out;
}

Result<std::vector<ReservationRecord>> decode_reservations(std::string_view bytes) {
  const auto damaged = [] { return corruption("a block's reservations are damaged"); };
  std::vector<ReservationRecord> records;
  if (bytes.empty()) return records;
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    auto& record = records.emplace_back();
    const auto step = reader.get<uint8_t>();
    if (step >= reservation_step_count) return damaged();
    record.step = static_cast<ReservationStep>(step);
    if (!get_reservation(reader, record.reservation)) return damaged();
    const auto before = reader.varint();
    for (uint64_t j = 0; j < before && !reader.bad(); ++j)
      record.before.push_back(reader.get<Int128>());
    const auto uses = reader.varint();
    for (uint64_t j = 0; j < uses && !reader.bad(); ++j) {
      const auto used = reader.get<Int128>();
      record.uses.push_back({used, reader.get<Int128>()});
    }
    record.event_period = static_cast<uint32_t>(reader.varint());
    const auto holds = record.reservation.holds.size();
    const auto fits = [&](size_t size) { return size == 0 || size == holds; };
    if (!fits(record.before.size()) || !fits(record.uses.size())) return damaged();
  }
  if (!reader.complete()) return damaged();
  return records;
}

Result<void> check_reservation(std::string_view id, Instant now, Instant expires_at) {
  if (id.empty() || id.size() > limits::identity_bytes_max)
    return invalid_argument("a reservation's id has 1 to " +
                            std::to_string(limits::identity_bytes_max) + " bytes");
  if (id.find('\0') != id.npos) return invalid_argument("a reservation's id holds no zero byte");
  if (expires_at <= now || expires_at - now > limits::reservation_life_max)
    return invalid_argument("a reservation expires after now and within 24 hours");
  return success();
}

}  // namespace gauger::ledger
