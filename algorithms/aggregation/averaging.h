// What the methods share that say the model, hear its change, and average: FedAvg and its kin.
#pragma once

#include <span>

#include "algorithms/federated_method.h"

namespace skiff {

// One model down, one update up, with the plan's codecs.
Exchange model_for_update(const Composition& composition, const Server& server, const Plan& plan);

// After training: sends the change of the parameters, times `factor`.
void send_update(ClientContext& context, double factor = 1);

// The weighted mean of the updates, through the codec's server half if it has one; `state` is the
// next version's.
Vector mean_direction(const Composition& composition, const Server& server,
                      std::span<const Update> updates, State& state);

// The next version: target += server learning rate * direction, with this state.
Server advance_with(const Composition& composition, const Server& server, const Vector& direction,
                    State state);

}  // namespace skiff
