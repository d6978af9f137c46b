// The catalogue of device classes and links, read from documents such as devices/profiles/*.yaml.
//
//   sources:  {apple: "Apple, iPhone 15 Pro technical specifications"}    # citations by key
//   defaults: {...}                    # of every class of this document, unless it says otherwise
//   classes:  {iphone-15-pro: {about: ..., memory: {ram: {value: 8 GiB, source: apple, ...}}}}
//   links:    {wifi: {...}}
//
// A document may hold any of the four. Later documents replace classes and links of the same name:
// a catalogue of the user's own comes last. Immutable once read, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "devices/profile.h"
#include "sim/core/node.h"
#include "sim/core/reader.h"

namespace skiff {

using ClassId = std::uint16_t;  // index into Catalogue::classes()
using LinkId = std::uint8_t;    // index into Catalogue::links()

class Catalogue {
 public:
  // Problems go to the reader, with file:line:col; what could be read is kept.
  static Catalogue read(std::span<const Node> documents, Reader& reader);

  const std::vector<DeviceProfile>& classes() const { return classes_; }  // sorted by name
  const std::vector<LinkProfile>& links() const { return links_; }        // sorted by name
  std::vector<std::string> class_names() const;
  std::vector<std::string> link_names() const;

  const DeviceProfile* find_class(const std::string& name) const;  // null if unknown
  const LinkProfile* find_link(const std::string& name) const;
  ClassId class_id(const std::string& name) const;  // must be known
  LinkId link_id(const std::string& name) const;    // must be known

  // unknown class "iphone15pro"; did you mean "iphone-15-pro"? skiff list devices
  std::string unknown_class(const std::string& name) const;
  std::string unknown_link(const std::string& name) const;

 private:
  std::vector<DeviceProfile> classes_;
  std::vector<LinkProfile> links_;
};

// The *.yaml files of a folder, sorted by name: the documents of the built-in catalogue.
std::vector<std::string> catalogue_files(const std::string& folder);

}  // namespace skiff
