#include "algorithms/method_steps.h"

#include "algorithms/kernels/reduce.h"
#include "algorithms/prepare.h"
#include "sim/core/parallel.h"

namespace skiff {

const SectionId kBaseSection = section_id("base");
const SectionId kModelSection = section_id("model");
const SectionId kUpdateSection = section_id("update");

namespace {

constexpr std::size_t kSeedBytes = sizeof(std::uint64_t);

bool space_begins(const Plan& plan, std::int64_t version) {
  return version % plan.parametrization->space_lasts() == 0;
}

// Whether the clients of a version draw all of its adapters themselves.
bool drawn_by_clients(const Plan& plan, std::int64_t version) {
  return plan.parametrization->draws() && space_begins(plan, version);
}

// What start() gives to the clients of a plan.
Vector drawn_model(const Composition& c, const Plan& plan, std::int64_t version) {
  GlobalModel model;
  const Plan& widest = c.global();
  model.weights.layout = c.architecture(widest).layout();
  c.adaptation(widest, version).start(model, c.space_stream(widest, version));
  return c.adaptation(plan, version).for_client(model.adapters, nullptr);
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
  const Parametrization& p = c.adaptation(plan, server.version);
  if (drawn_by_clients(plan, server.version)) {
    message.version = server.version;
    message.sections.emplace_back(kModelSection, Payload());
  } else {
    const Vector& global = p.target(server.models[plan.model]);
    say(c, server, plan, kModelSection, p.for_client(global, message.base.get()), message);
  }
  if (!p.draws()) return;
  const std::uint64_t seed = c.space_seed(plan, server.version);
  const auto* bytes = reinterpret_cast<const std::byte*>(&seed);
  std::vector<std::byte>& said = message.sections.back().second.bytes;
  said.insert(said.begin(), bytes, bytes + kSeedBytes);
}

Vector read_model(const Composition& c, const Plan& plan, const Message& message) {
  const Payload* payload = message.find(kModelSection);
  if (payload == nullptr) return decoded(*message.base);
  if (drawn_by_clients(plan, message.version)) return drawn_model(c, plan, message.version);
  const LayoutPtr layout = c.update_layout(plan, message.version);
  const auto decode = [&](const Payload& part) {
    return decode_wire(*plan.down, c, plan, message.base.get(), layout, part);
  };
  if (!plan.parametrization->draws()) return decode(*payload);
  return decode({{payload->bytes.begin() + kSeedBytes, payload->bytes.end()}});
}

std::vector<Vector> decode_updates(const Composition& composition, std::span<const Update> updates,
                                   SectionId name) {
  std::vector<Vector> vectors(updates.size());
  // Small updates are decoded faster than a task is started.
  const std::int64_t version = updates.empty() ? 0 : updates.front().base->version;
  const std::size_t size = composition.update_layout(composition.global(), version)->size;
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
                                 composition.update_layout(*u.plan, u.base->version), *payload);
      },
      grain);
  return vectors;
}

Vector mean_update(const Composition& composition, std::span<const Update> updates,
                   SectionId name) {
  const Plan& plan = composition.global();
  const Server& base = *updates.front().base;
  const Parametrization& p = composition.adaptation(plan, base.version);
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
  Vector& target = composition.adaptation(plan, server.version).target(next.models[plan.model]);
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
  c.adaptation(plan, last).fold(model, c.space_stream(plan, last));
  model.base_version = c.base_version(plan, next.version);
  c.adaptation(plan, next.version).start(model, c.space_stream(plan, next.version));
}

std::vector<Section> model_sections(const Composition& c, const Server& server, const Plan& plan) {
  std::vector<Section> sections;
  if (plan.sends_base()) {
    const bool frozen = !plan.parametrization->trains_base();
    Section base{kBaseSection, plan.sent().stored,
                 frozen ? c.base_version(plan, server.version) : server.version};
    // A low-rank increment can be added to a base that is stored as it is only.
    if (frozen && !plan.compresses()) {
      base.increment = c.global().parametrization->increment(c.global().prepared);
    }
    sections.push_back(base);
  }
  if (plan.sends_vector()) {
    Bytes size(plan.parametrization->draws() ? kSeedBytes : 0);
    if (!drawn_by_clients(plan, server.version)) {
      size += section_bytes(c, plan, *plan.down, server.version);
    }
    sections.push_back({kModelSection, size, server.version});
  }
  return sections;
}

Bytes section_bytes(const Composition& c, const Plan& plan, const Codec& codec,
                    std::int64_t version) {
  return codec.bytes(*c.wire_layout(plan, version));
}

Exchange model_for_update(const Composition& c, const Server& server, const Plan& plan) {
  const Codec& up = plan.up->in_round(c.seed, server.version);
  const Bytes size = plan.parametrization->own_upload()
                         ? plan.parametrization->upload_bytes(plan.prepared)
                         : section_bytes(c, plan, up, server.version);
  return {model_sections(c, server, plan), {{kUpdateSection, size, -1}}};
}

void send_update(ClientContext& context, double factor) {
  Vector update(context.composition().update_layout(context.plan(), context.round()));
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
