target_link_libraries(gauger_billing PUBLIC Boost::headers PRIVATE ${GAUGER_YAML} simdjson::simdjson fmt::fmt OpenSSL::Crypto)
