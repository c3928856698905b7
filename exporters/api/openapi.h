// The OpenAPI document (schemas/openapi.yaml) as it was when the program was built.
#pragma once

#include <string>

namespace gauger::exporters {

const std::string& openapi_yaml();

}  // namespace gauger::exporters
