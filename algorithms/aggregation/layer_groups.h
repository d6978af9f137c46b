// Layers of a model as FedP3 deals them out to clients: a layer is its weight with its bias.
//
// The last layer is the head. The others, L of them in the order of the layout, stand in a ring;
// client i of N is given some that follow each other, from layer floor(L i / N) on. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "algorithms/models/layout.h"
#include "algorithms/server.h"

namespace skiff {

struct LayerGroup {
  std::string name;
  std::vector<std::size_t> slices;  // of the layout, ascending
  std::size_t size = 0;             // values
};
// All of a layout, the head last. One layer is a head alone.
std::vector<LayerGroup> layer_groups(const Layout& layout);

// By layer, the head among them: 1 if it is given to this client; the head always is.
std::vector<std::uint8_t> given_layers(std::size_t layers, std::size_t each, ClientId client,
                                       std::int64_t clients);

// The values of some layers, one after the other, and back.
std::size_t size_of(const std::vector<LayerGroup>& groups, const std::vector<std::uint8_t>& given);
Vector gathered(const Vector& all, const std::vector<LayerGroup>& groups,
                const std::vector<std::uint8_t>& given);
void scattered(const Vector& part, const std::vector<LayerGroup>& groups,
               const std::vector<std::uint8_t>& given, Vector& all);

}  // namespace skiff
