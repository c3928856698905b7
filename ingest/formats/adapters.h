// The decoders behind ingest/formats.h that are not raw responses of providers.
#pragma once

#include <memory>

#include "ingest/formats.h"

namespace gauger::ingest {

std::unique_ptr<Decoder> make_cloudevents_decoder(const DecoderOptions& options);
std::unique_ptr<Decoder> make_confluent_decoder();
std::unique_ptr<Decoder> make_otlp_decoder(const DecoderOptions& options);
std::unique_ptr<Decoder> make_litellm_decoder(const DecoderOptions& options);
Result<std::unique_ptr<Decoder>> make_csv_decoder(const DecoderOptions& options);

// The document of the options, or the empty one.
const Attribution& attribution_of(const DecoderOptions& options);

}  // namespace gauger::ingest
