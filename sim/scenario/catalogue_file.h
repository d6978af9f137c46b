// The device catalogue from its YAML files: the built-in one, and classes of the user's own.
#pragma once

#include <memory>
#include <string>

#include "devices/catalogue.h"
#include "sim/scenario/yaml.h"

namespace skiff {

// $SKIFF_HOME/devices/profiles, or devices/profiles below the working directory.
std::string builtin_catalogue_folder();

// The documents of `folder`, then the file `own` ("" = none). Problems go to the reader, lines for
// their carets to `texts`. Null if the folder holds no catalogue.
std::shared_ptr<const Catalogue> read_catalogue(const std::string& folder, const std::string& own,
                                                SourceTexts& texts, Reader& reader);
// The built-in one; throws ScenarioError.
std::shared_ptr<const Catalogue> builtin_catalogue();

}  // namespace skiff
