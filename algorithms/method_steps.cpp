#include "algorithms/method_steps.h"

#include <cstring>

#include "algorithms/kernels/reduce.h"
#include "algorithms/prepare.h"
#include "sim/core/parallel.h"

namespace skiff {

const SectionId kBaseSection = section_id("base");
const SectionId kModelSection = section_id("model");
const SectionId kUpdateSection = section_id("update");

namespace {

constexpr std::size_t kSeedBytes = sizeof(std::uint64_t);

std::size_t told_bytes(const Plan& plan) {
  return sizeof(std::uint16_t) * plan.parametrization->told_ranks(plan.prepared);
}

bool space_begins(const Plan& plan, std::int64_t version) {
  return version % plan.parametrization->space_lasts() == 0;
}

// Whether the clients of a version draw all of its adapters themselves.
bool drawn_by_clients(const Plan& plan, std::int64_t version) {
  return plan.parametrization->draws() && space_begins(plan, version);
}

// What start() gives to the clients of a plan.
Vector drawn_model(const Composition& c, const Plan& plan, std::int64_t version,
                   const ChosenRanks& ranks) {
  GlobalModel model;
  const Plan& widest = c.global();
  model.weights.layout = c.architecture(widest).layout();
  c.adaptation(widest, version, ranks).start(model, c.space_stream(widest, version));
  return c.adaptation(plan, version, ranks).for_client(model.adapters, nullptr);
}

// What is said of a space: its seed, then the ranks that the server chose for it.
std::vector<std::byte> space_head(const Composition& c, const Plan& plan, const Server& server) {
  const std::uint64_t seed = c.space_seed(plan, server.version);
  std::vector<std::byte> head(kSeedBytes + told_bytes(plan));
  std::memcpy(head.data(), &seed, kSeedBytes);
  const auto ranks = server.models[plan.model].ranks.at(c.space(plan, server.version));
  SKIFF_CHECK(ranks.empty() || ranks.size_bytes() == told_bytes(plan), "ranks of other adapters");
  std::memcpy(head.data() + kSeedBytes, ranks.data(), ranks.size_bytes());  // none chosen: zeros
  return head;
}

ChosenRanks told_ranks(const Composition& c, const Plan& plan, std::int64_t version,
                       std::span<const std::byte> head) {
  std::vector<std::uint16_t> ranks(told_bytes(plan) / sizeof(std::uint16_t));
  std::memcpy(ranks.data(), head.data() + kSeedBytes, told_bytes(plan));
  ChosenRanks told;
  if (!ranks.empty() && ranks.front() > 0) told.choose(c.space(plan, version), std::move(ranks));
  return told;
}

}  // namespace

void say(const Composition& c, const Server& server, const Plan& plan, SectionId section,
         Vector values, Message& message) {
  State none;  // codecs with a memory are refused on the way down
  const Stream stream = Stream(c.seed, "codec.down", static_cast<std::uint64_t>(server.version))
                            .child(section_name(section));
  message.version = server.version;
  message.sections.emplace_back(
      section, encode_wire(*plan.down, c, plan, message.base.get(), values, none, stream));
}

void say_model(const Composition& c, const Server& server, const Plan& plan, Message& message) {
  if (!plan.sends_vector()) return;
  const Parametrization& p = c.adaptation(plan, server);
  if (drawn_by_clients(plan, server.version)) {
    message.version = server.version;
    message.sections.emplace_back(kModelSection, Payload());
  } else {
    const Vector& global = p.target(server.models[plan.model]);
    say(c, server, plan, kModelSection, p.for_client(global, message.base.get()), message);
  }
  if (!p.draws()) return;
  const std::vector<std::byte> head = space_head(c, plan, server);
  std::vector<std::byte>& said = message.sections.back().second.bytes;
  said.insert(said.begin(), head.begin(), head.end());
}

Vector read_model(const Composition& c, const Plan& plan, const Message& message) {
  const Payload* payload = message.find(kModelSection);
  if (payload == nullptr) return decoded(*message.base);
  const std::int64_t version = message.version;
  const auto decode = [&](const ChosenRanks& ranks, const Payload& part) {
    const LayoutPtr layout = c.adaptation(plan, version, ranks).update_layout(plan.prepared);
    return decode_wire(*plan.down, c, plan, message.base.get(), layout, part);
  };
  if (!plan.parametrization->draws()) return decode({}, *payload);
  const ChosenRanks ranks = told_ranks(c, plan, version, payload->bytes);
  if (drawn_by_clients(plan, version)) return drawn_model(c, plan, version, ranks);
  const auto head = static_cast<std::ptrdiff_t>(kSeedBytes + told_bytes(plan));
  return decode(ranks, {{payload->bytes.begin() + head, payload->bytes.end()}});
}

std::vector<Vector> decode_updates(const Composition& composition, std::span<const Update> updates,
                                   SectionId name) {
  std::vector<Vector> vectors(updates.size());
  // Small updates are decoded faster than a task is started.
  const Plan& widest = composition.global();
  const std::size_t size =
      updates.empty() ? 0 : composition.update_layout(widest, *updates.front().base)->size;
  const std::size_t grain = size < 4096 ? 64 : 1;
  parallel_for(
      updates.size(),
      [&](std::size_t i) {
        const Update& u = updates[i];
        const Payload* payload = u.message.find(name);
        SKIFF_CHECK(payload != nullptr, "an update without section " + section_name(name));
        if (name == kUpdateSection && u.plan->parametrization->own_upload()) {
          vectors[i] = u.plan->parametrization->decode_upload(*payload, *u.prepared);
          return;
        }
        const Codec& codec = u.plan->up->in_round(composition.seed, u.base->version);
        vectors[i] = decode_wire(codec, composition, *u.plan, u.prepared.get(),
                                 composition.update_layout(*u.plan, *u.base), *payload);
      },
      grain);
  return vectors;
}

Vector mean_update(const Composition& composition, std::span<const Update> updates,
                   SectionId name) {
  const Plan& plan = composition.global();
  const Server& base = *updates.front().base;
  const Parametrization& p = composition.adaptation(plan, base);
  Vector mean(p.target(base.models[plan.model]).layout);
  p.average(updates, decode_updates(composition, updates, name), mean);
  return mean;
}

void apply_server_half(const Composition& c, std::int64_t version, std::size_t reports,
                       Vector& direction, State& state) {
  const Codec& codec = c.global().up->in_round(c.seed, version);
  if (!codec.has_server_half()) return;
  const double share = static_cast<double>(reports) / static_cast<double>(c.clients);
  codec.combine(direction.values, share, state);
}

Server advance(const Composition& composition, const Server& server, const Vector& direction) {
  Server next = server;
  ++next.version;
  const Plan& plan = composition.global();
  Vector& target = composition.adaptation(plan, server).target(next.models[plan.model]);
  kernels::axpy(target.values, static_cast<float>(composition.server_learning_rate),
                direction.values);
  turn_space(composition, next);
  return next;
}

void turn_space(const Composition& c, Server& next) {
  const Plan& plan = c.global();
  if (!space_begins(plan, next.version)) return;
  GlobalModel& model = next.models[plan.model];
  const std::int64_t last = next.version - 1;
  c.adaptation(plan, last, model.ranks).fold(model, c.space_stream(plan, last));
  model.base_version = c.base_version(plan, next.version);
  c.adaptation(plan, next).start(model, c.space_stream(plan, next.version));
}

std::vector<Section> model_sections(const Composition& c, const Server& server, const Plan& plan) {
  std::vector<Section> sections;
  if (plan.sends_base()) {
    const bool frozen = !plan.parametrization->trains_base();
    Section base{kBaseSection, plan.sent().stored,
                 frozen ? c.base_version(plan, server.version) : server.version};
    if (frozen && !plan.compresses()) {
      base.increment = c.global().parametrization->increment(c.global().prepared);
    } else if (frozen && plan.parametrization->merges()) {
      // To codes nothing can be added: what merging adds lies beside them.
      base.first = c.prepared_at(plan, server.version);
      base.bytes += plan.parametrization->beside_base(plan.prepared, base.key - base.first);
      if (base.key > base.first) {
        base.increment = c.global().parametrization->increment(c.global().prepared);
      }
    }
    sections.push_back(base);
  }
  if (plan.sends_vector()) {
    const std::size_t head = plan.parametrization->draws() ? kSeedBytes + told_bytes(plan) : 0;
    Bytes size(static_cast<std::int64_t>(head));
    if (!drawn_by_clients(plan, server.version)) {
      size += section_bytes(c, plan, *plan.down, server);
    }
    sections.push_back({kModelSection, size, server.version});
  }
  return sections;
}

Bytes section_bytes(const Composition& c, const Plan& plan, const Codec& codec,
                    const Server& server) {
  return codec.bytes(*c.wire_layout(plan, server));
}

Exchange model_for_update(const Composition& c, const Server& server, const Plan& plan) {
  const Codec& up = plan.up->in_round(c.seed, server.version);
  const Bytes size = plan.parametrization->own_upload()
                         ? plan.parametrization->upload_bytes(plan.prepared)
                         : section_bytes(c, plan, up, server);
  return {model_sections(c, server, plan), {{kUpdateSection, size, -1}}};
}

void send_update(ClientContext& context, double factor) {
  Vector update(context.update_layout());
  context.weights().update(update);
  if (factor != 1) kernels::scale(update.values, static_cast<float>(factor), update.values);
  const Parametrization& p = *context.plan().parametrization;
  if (!p.own_upload()) return context.send(kUpdateSection, update);
  context.send_as_it_is(kUpdateSection, update,
                        [&] { return p.encode_upload(context.weights(), update); });
}

Vector mean_direction(const Composition& c, const Server& server, std::span<const Update> updates,
                      State& state) {
  Vector direction = mean_update(c, updates, kUpdateSection);
  apply_server_half(c, server.version, updates.size(), direction, state);
  return direction;
}

Server advance_with(const Composition& c, const Server& server, const Vector& direction,
                    State state) {
  Server next = advance(c, server, direction);
  next.state = std::move(state);
  return next;
}

}  // namespace skiff
