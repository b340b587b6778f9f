"""What lasts: the rules file that people edit too, and the audit.

The config, read:
    config      text in, `Config` or an error out       schema        every table
    rule_config `[[rules]]`                             rule_ids      ids that outlive edits
    remotes     servers by URL                          risk_config   classes of risk
    http, app, audit_config                             the small tables
    forms, quantities                                   what a value may look like
    references  values that may be secret               keyrings      where some of them are
    toml_lines  the line of each key                    watch         whether to read it again

The config, changed:
    config_file written whole, and undone               edit          one config to another
    rule_tables, risk_tables                            in the lines of one table alone
    toml_values keys and values as text                 difference    what changed, for a person
    accepted    the text last in force

The audit:
    intake      noted at once, filed later              audit         written
    records     what goes in and comes out              reader        read
    rows        values to columns and back              inserts       how they are put in
    chain       that nothing was changed                migrations    the schema, step by step
    history     in its order, for replay                faults        its one error
    tool_events what became of definitions

More files:
    tools       every server's tools and pins           logins        tokens of remote servers
    token       what lets agents in                     mark          a yes that outlives us

`files` checks and replaces any of them. `shared` is a store that several walls have together.
"""
