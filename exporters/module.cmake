target_link_libraries(gauger_exporters PUBLIC fmt::fmt PRIVATE ${GAUGER_HPDF})
