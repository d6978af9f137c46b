// The shipped catalogue for tests, and documents written in place.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "devices/catalogue.h"
#include "sim/scenario/yaml.h"

namespace skiff {

// Reads the texts as documents "own.yaml" after the shipped ones, if those are wanted.
inline Catalogue read_texts(const std::vector<std::string>& texts, Reader& reader, bool shipped) {
  std::vector<Node> documents;
  std::vector<Problem> problems;
  if (shipped) {
    const char* source = std::getenv("SKIFF_SOURCE");
    const std::string root = source != nullptr ? source : ".";
    for (const std::string& file : catalogue_files(root + "/devices/profiles")) {
      documents.push_back(parse_yaml(read_scenario_file(file), file, problems));
    }
  }
  for (const std::string& text : texts) {
    documents.push_back(parse_yaml(text, "own.yaml", problems));
  }
  for (const Problem& p : problems) reader.problem_at(p.where, p.path, p.message);
  return Catalogue::read(documents, reader);
}

inline const Catalogue& shipped_catalogue() {
  static const Catalogue catalogue = [] {
    Reader reader;
    Catalogue read = read_texts({}, reader, true);
    reader.throw_if_any();
    return read;
  }();
  return catalogue;
}

inline const DeviceProfile& shipped(const std::string& name) {
  return shipped_catalogue().classes()[shipped_catalogue().class_id(name)];
}
inline const LinkProfile& shipped_link(const std::string& name) {
  return shipped_catalogue().links()[shipped_catalogue().link_id(name)];
}

}  // namespace skiff
