#include "algorithms/method_steps.h"

#include "algorithms/kernels/reduce.h"
#include "algorithms/prepare.h"
#include "sim/core/parallel.h"

namespace skiff {

const SectionId kBaseSection = section_id("base");
const SectionId kModelSection = section_id("model");
const SectionId kUpdateSection = section_id("update");

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
  const Vector& global = plan.parametrization->target(server.models[plan.model]);
  say(c, server, plan, kModelSection, plan.parametrization->for_client(global, message.base.get()),
      message);
}

std::vector<Vector> decode_updates(const Composition& composition, std::span<const Update> updates,
                                   SectionId name) {
  std::vector<Vector> vectors(updates.size());
  // Small updates are decoded faster than a task is started.
  const std::size_t grain = composition.update_layout(composition.global())->size < 4096 ? 64 : 1;
  parallel_for(
      updates.size(),
      [&](std::size_t i) {
        const Update& u = updates[i];
        const Payload* payload = u.message.find(name);
        SKIFF_CHECK(payload != nullptr, "an update without section " + section_name(name));
        const Codec& codec = u.plan->up->in_round(composition.seed, u.base->version);
        vectors[i] = decode_wire(codec, composition, *u.plan, u.prepared.get(),
                                 composition.update_layout(*u.plan), *payload);
      },
      grain);
  return vectors;
}

Vector mean_update(const Composition& composition, std::span<const Update> updates,
                   SectionId name) {
  const Plan& plan = composition.global();
  Vector mean(plan.parametrization->target(updates.front().base->models[plan.model]).layout);
  plan.parametrization->average(updates, decode_updates(composition, updates, name), mean);
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
  Vector& target = plan.parametrization->target(next.models[plan.model]);
  kernels::axpy(target.values, static_cast<float>(composition.server_learning_rate),
                direction.values);
  return next;
}

std::vector<Section> model_sections(const Composition& c, const Server& server, const Plan& plan) {
  std::vector<Section> sections;
  if (plan.sends_base()) {
    const bool frozen = !plan.parametrization->trains_base();
    const std::int64_t version = server.models.empty() ? 0 : server.models[plan.model].base_version;
    sections.push_back({kBaseSection, plan.prepared.stored, frozen ? version : server.version});
  }
  if (plan.sends_vector()) {
    sections.push_back({kModelSection, section_bytes(c, plan, *plan.down), server.version});
  }
  return sections;
}

Bytes section_bytes(const Composition& c, const Plan& plan, const Codec& codec) {
  return codec.bytes(*c.wire_layout(plan));
}

Exchange model_for_update(const Composition& c, const Server& server, const Plan& plan) {
  const Codec& up = plan.up->in_round(c.seed, server.version);
  return {model_sections(c, server, plan), {{kUpdateSection, section_bytes(c, plan, up), -1}}};
}

void send_update(ClientContext& context, double factor) {
  Vector update(context.composition().update_layout(context.plan()));
  context.weights().update(update);
  if (factor != 1) kernels::scale(update.values, static_cast<float>(factor), update.values);
  context.send(kUpdateSection, update);
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
