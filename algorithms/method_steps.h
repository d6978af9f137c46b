// What the methods share, so that each says only what is its own: speaking the model, decoding the
// answers, the codec's server half, the step to the next version.
#pragma once

#include <span>
#include <vector>

#include "algorithms/client_context.h"
#include "algorithms/plan.h"
#include "algorithms/server.h"

namespace skiff {

extern const SectionId kBaseSection;    // "base": down, the prepared model as it is stored
extern const SectionId kModelSection;   // "model": down, the global vector
extern const SectionId kUpdateSection;  // "update": up, the change

// Appends `values` as a section, through the plan's `down` codec. Random codecs draw from a stream
// of (section, version), so that every client of a version reads the same.
void say(const Composition& composition, const Server& server, const Plan& plan, SectionId section,
         Vector values, Message& message);
// say() for the global vector, as this plan's clients receive it; nothing where the prepared model
// is all that they are told. Where adapters are drawn the section opens with the 8 bytes of their
// space's seed, and in the first round of a space it is nothing else: clients draw them themselves.
void say_model(const Composition& composition, const Server& server, const Plan& plan,
               Message& message);
// What they then read.
Vector read_model(const Composition& composition, const Plan& plan, const Message& message);

// Version next.version begins: if that is a new space, what was trained is folded into the base and
// the new space's adapters are drawn. For methods that do not use advance().
void turn_space(const Composition& composition, Server& next);

// Section `name` of every update, decoded into its plan's update layout.
std::vector<Vector> decode_updates(const Composition& composition, std::span<const Update> updates,
                                   SectionId name);
// decode_updates, then the parametrization's mean.
Vector mean_update(const Composition& composition, std::span<const Update> updates, SectionId name);

// EF21, DIANA, MARINA: in a round of this version, turns the mean of what `reports` clients sent
// into what is applied.
void apply_server_half(const Composition& composition, std::int64_t version, std::size_t reports,
                       Vector& direction, State& state);

// The next version: target += server_learning_rate * direction; the method's state is copied.
Server advance(const Composition& composition, const Server& server, const Vector& direction);

// What a client must be told before it can train: the prepared model where it travels as such (a
// frozen one has the key of its version, so that a device which holds it is not sent it again), and
// the vector that the codec `down` carries.
std::vector<Section> model_sections(const Composition& composition, const Server& server,
                                    const Plan& plan);
// What a section of the size of the update takes, down or up.
Bytes section_bytes(const Composition& composition, const Plan& plan, const Codec& codec,
                    const Server& server);

// FedAvg and its kin. One model down, one update up, with the plan's codecs.
Exchange model_for_update(const Composition& composition, const Server& server, const Plan& plan);
// After training: sends the change of the parameters, times `factor`.
void send_update(ClientContext& context, double factor = 1);
// The weighted mean of the updates, through the codec's server half if it has one; `state` is the
// next version's.
Vector mean_direction(const Composition& composition, const Server& server,
                      std::span<const Update> updates, State& state);
// advance(), with this state.
Server advance_with(const Composition& composition, const Server& server, const Vector& direction,
                    State state);

}  // namespace skiff
