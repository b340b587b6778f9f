"""The words by which `risk` tells what a tool does. Data only: verbs in their base form.

No word here is the name of a product. A verb that is missing makes a tool unknown, which counts as
changing things; a verb in the wrong list is the worse mistake.
"""

from __future__ import annotations

from mcpwall.model import Risk


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BY_RISK = {
    Risk.READ: """
        aggregate analyse analyze assess audit autocomplete browse calculate capture cat check cite
        collect compare compute contrast correlate count crosscheck decode decompile demangle
        deobfuscate dereference derive describe detect diagnose diff disassemble discern discover
        display doublecheck download dump echo encode enquire enumerate estimate examine explain
        explore extract fetch find forecast geocode get glob grep hash identify infer inquire
        inspect interpret introspect lint list locate look lookup ls measure monitor observe
        paginate paraphrase parse peek ping poll predict preflight preview probe profile proofread
        quantify query rank read recall recommend rephrase research retrieve return reveal review
        sample scan score scrape screenshot search see show sleep sniff spellcheck suggest summarise
        summarize tabulate tail tally think trace translate traverse triangulate troubleshoot
        typeahead unshorten validate verify view visualise visualize wait walk watch whoami
        """,
    Risk.WRITE: """
        accept ack acknowledge acquire activate add adjust adopt allocate allow alter amend animate
        annotate append apply approve archive ask assign associate attach attest authenticate
        authorise authorize autofix automate award backup ban befriend bind blacklist block book
        bookmark bootstrap branch broadcast bump calibrate cast change checkin checkout chmod choose
        chown claim clarify click clone close comment commit complete compose compress configure
        confirm connect consolidate continue contribute converge convert copy cordon cp create crop
        curate deactivate deauth deauthorize debounce decide declare decline decrease decrement
        dedupe deduplicate defer define delegate deliver demote deploy dequeue deselect design
        detach dial disable disassociate disconnect dislike dismiss dispatch dissociate downgrade
        downscale downvote draft drag drain duplicate edit eject elevate email embed emit emulate
        enable encrypt endorse enforce engage enlarge enqueue enrich enroll enter escalate establish
        export expose extend failover favorite favourite fill finalise finalize finetune finish fix
        flag focus follow fork format forward freeze fulfil fulfill generate give grant group gzip
        hand handle hide hotfix hover hydrate impersonate implement import imprint incorporate
        increase increment index inform ingest init initialise initialize initiate inline insert
        install instruct integrate invert invite isolate join kick label learn lease leave like link
        load localise localize lock log login logout make manage map mark materialise materialize
        memorize merge message migrate mint mkdir mock moderate modify mount move mutate mute mv
        nack name navigate normalise normalize notarize note notify nudge obfuscate offboard offload
        onboard open optimize orchestrate organize override park paste patch pause persist pin pivot
        place plan poke populate post postpone preload prepare prepend preserve press prioritize
        promote propagate propose protect provision proxy publish pull push put quarantine queue
        quote raise rate react reactivate rearrange reassign reauthorize rebase rebind rebuild
        recalculate recategorize reclassify recommit recompute reconcile reconfigure reconnect
        reconstruct record recover recreate recruit recycle redact redeem redefine redirect redo
        reduce reenable refactor refill refine reformat refresh refute regenerate register reimport
        reindex reinforce reinstall reinstate reissue reject relabel release relinquish reload
        relocate remap remediate remember remind rename renew renumber reopen reorder repair
        repartition replay replicate reply repopulate report repost reprioritize reprocess
        reprovision request requeue rescale reschedule resend reserve resize resolve respond restore
        resubmit resume retag retarget retire retract retrain retry reuse revalidate reverse revise
        rewind rewrite rollout rotate route sanitise sanitize save say scaffold scale schedule
        scroll seal seed select send serve set setup share shorten shuffle sideload sign silence
        simulate skip snooze solve sort speak split squash stage star stash stitch store stream
        submit subscribe substitute supersede suppress suspend swap swipe switch sync synchronize
        synthesize tag taint take tap teleport text throttle tighten toggle touch train transact
        transcode transcribe transfer transform transition transmit trim tune turn tweet type
        unapprove unarchive unassign unban unbind unblock unbookmark uncheck uncomplete uncordon
        undelete undo unfavorite unflag unfollow unfreeze unfriend unhide uninvite unlabel unlike
        unlink unload unlock unmap unmark unmatch unmount unmute unpack unpause unpin unprotect
        unquarantine unresolve unrestrict unschedule unseal unset unshare unsilence unsnooze unstage
        unstar unstash unsubscribe unsuspend untag untrack unvote unwatch unwrap update upgrade
        upload upscale upsert upvote vacuum vectorize vote vouch wake whitelist write yank zip zoom
        """,
    Risk.EXECUTE: """
        abort autorun bash boot build call cmd command compile debug eval evaluate exec execute halt
        inject instantiate interact invoke kickoff launch postprocess preprocess process reboot
        redeploy reexecute relaunch rerun restart retrigger run script shell shutdown spawn ssh
        start stop sudo terminal test trigger
        """,
    Risk.DESTRUCTIVE: """
        abandon annul cancel clean cleanup clear deallocate decommission delete demolish deplete
        deprecate deprovision deregister destroy destruct detonate discard dissolve drop empty
        eradicate erase evict expel expire expunge flush force forget invalidate kill liquidate nuke
        nullify overwrite prune purge reap reclaim remove replace rescind reset revert revoke rm
        rmdir rollback scrub sever shred strip terminate trash truncate undeploy uninstall
        unprovision unpublish unregister unsend vacate void wipe wreck
        """,
    Risk.FINANCIAL: """
        bid buy charge debit deposit disburse donate overpay pay payout pledge prepay purchase
        rebalance refund reimburse reinvest remit repay sell settle spend stake tip topup trade
        unstake withdraw
        """,
}
# The commonest of other languages, which name tools by infinitives: `listar_pedidos`.
_ABROAD = {
    Risk.READ: """
        afficher anzeigen auflisten buscar chercher consultar consulter durchsuchen leer ler lesen
        lire listar lister mostrar obtener obtenir obter pesquisar rechercher suchen
        """,
    Risk.WRITE: """
        actualizar adicionar agregar ajouter asignar ask atualizar bearbeiten cambiar crear creer
        criar editar enregistrer enviar envoyer erstellen guardar marcar modificar modifier mover
        publicar publier registrar salvar senden speichern
        """,
    Risk.EXECUTE: "ejecutar executar executer iniciar starten",
    Risk.DESTRUCTIVE: """
        annuler apagar borrar cancelar deletar eliminar excluir loeschen quitar remover supprimer
        """,
    Risk.FINANCIAL: "acheter bezahlen comprar pagar payer reembolsar rembourser vender",
}
VERBS: dict[str, Risk] = {
    word: risk
    for lists in (_ABROAD, _BY_RISK)
    for risk, words in lists.items()
    for word in _words(words)
}
# Verbs that are as often nouns: `issue_write` writes, `get_release` reads, `build_status` reads.
NOUNS = _words(
    """
    ask audit award backup ban bind block book bookmark branch build bump call cast cat change
    charge claim clone command comment commit crop deploy deposit design draft dump email embed
    endorse export extract failover fix flag forecast fork format forward group handoff hash import
    index install issue label learn lease like link lint list load lock log map match measure
    message mock monitor mount name note open order park peek pin place plan poll post preflight
    preview probe process profile proxy pull queue quote rank rate recall record release replay
    report request research reverse review rollout run sample scan schedule score screenshot script
    seed serve setup share shell sign skip stage star stash store stream tag taint terminal test
    text tip touch trace trade train transfer transition trigger trim tweet type upgrade view vote
    walk watch
    """
)

# `rerun`, `unpublish`, `preload`: what changes something does so again, back and before, too.
_THINGS = _words("preset resort")
_DERIVED = {
    prefix + verb: risk
    for prefix in ("auto", "pre", "re", "un")
    for verb, risk in VERBS.items()
    if risk is not Risk.READ and verb not in NOUNS and prefix + verb not in _THINGS
}
VERBS = _DERIVED | VERBS

# Two verbs that are one noun.
COMPOUNDS = frozenset(
    (verb, noun) for verb in ("change", "merge", "pull") for noun in ("request", "requests")
)

# What says nothing at the end of a name, beside figures: `get_usage_v2`, `UsageTool`.
TAILS = _words("tool v")

# What stands last in a name that only tells: `sam_logs`, `deploy_status`.
READING_NOUNS = _words(
    """
    analytics availability breakdown capabilities changelog definition definitions details
    diagnostics distribution docs documentation examples faq forecast guidance guide guidelines
    headlines health help history info information insights instructions leaderboard list log logs
    metadata metrics news output overview quickstart quota ranking rankings readme reference results
    schema schemas scores standings stat statistics stats status summary templates timeline
    timeseries top trends usage version versions weather
    """
)

# What has a status, a history or logs of its own: `deploy_status` reads, `update_status` does not.
RUNS = _words(
    """
    backup build clone commit deploy install issue order queue release request review run schedule
    test trade transfer trigger
    """
)
RECORDS = _words(
    "details guidance help history info log logs results statistics stats status summary"
)

# At the end of a name these are verbs all the same: `wiki_lint`.
ENDS = _words("lint list preflight preview probe scan")

# At the start of a name these are verbs all the same: `list_merge_requests`.
COMMANDS = _words("list view")

# What these do depends on their object: `convert_time` only tells, `convert_item` changes it.
READING_OBJECTS = {
    "convert": _words(
        "color currency date distance temperature time timestamp timezone unit units weight"
    ),
    "generate": _words(
        "chart charts code diagram diagrams graph map query report sql snippet summary types uuid"
        " uuids"
    ),
    "resolve": _words("address addresses dns domain handle host hostname id ids name path url"),
    "run": _words(
        "analysis audit backtest check checks diagnostics lint report reports scan search"
    ),
    "take": _words("screenshot"),
    "test": _words("auth authentication connection connections connectivity regex"),
}

# With these behind them, these change something: `check_out_book`.
CHANGING_PARTICLES = {"check": _words("in off out")}

# Pictures of a state: with a place for a file, they write it.
PICTURES = _words("capture screenshot snapshot")

# What is read as well as changed: with a changing verb at the end, `search_index_delete` deletes.
OBJECTS = _words("check compare count diff list query report search show sum summary")

# These count right after a reading verb too: `find_replace`, `read_write`.
SECOND = _words("delete insert overwrite remove replace write")

MONEY = _words(
    """
    balance bill billing coupon credit crypto deposit discount fund funds invoice invoices loan
    money order orders payment payments payout payouts price prices purchase refund refunds salary
    subscription subscriptions trade transaction transactions wallet
    """
)

# Behind these the words above are about something else: `topic_subscription`, `sort_order`.
FREE = _words(
    "alert channel database db email event list mail merge newsletter notification push resource"
    " sort sql tab topic webhook"
)

# These take money where they are about money: `capture_payment`.
TAKES = _words("capture collect return")

# Things that end as somebody who does something: the "server" of `scan_server` serves nothing.
NO_AGENTS = _words("server")

# A description that starts with one of these tells of reading, whatever nouns its tool's name has.
PLAIN = _words(
    "check describe display fetch find get inspect list lookup preview read retrieve search show"
    " view"
)

# What these wait for was started by another tool.
WAITS = _words("check get list monitor poll wait watch")

# Before the first verb of a description these say nothing.
FILLER = _words(
    """
    a ability able allow allows always an api batch be bulk by call can designed easily enables
    endpoint fast for function helper helps here intended is it lets method operation operations
    perform performs please provides quick simple simply that the this to tool tools use used useful
    user users utility various which will with you your
    """
)

# Other words that end as "quickly" does.
NO_ADVERBS = _words(
    "anomaly assembly daily early family hourly monthly multiply nightly only quarterly supply"
    " weekly yearly"
)

# What a description without a verb is about where a tool only tells: "Current weather of a city".
TOLD = _words(
    """
    analysis analytics comments count data details documentation examples forecast guidance
    guidelines history ids info information insights instructions leaderboard metadata metrics news
    overview performance positions prices quotes rankings rates recommendations results scores
    series standings statistics stats status summary total totals trends value values weather
    """
)
PREPOSITIONS = _words(
    "about across as at between by for from in of on over per under using via with within"
)

# These start descriptions of reading tools too: "Run a find query", "Generates a summary".
WEAK = _words(
    """
    ask build call compile connect convert debug execute filter format generate group index load log
    make map match name open order perform plan process rank rate reconstruct report resolve run
    select sort split stream take test use wait
    """
)

# After these a word that may be a noun is one: "the log of", "provides comments".
BEFORE_NOUNS = _words("a an is of provide provides returns the this with your")

# A change told in passing counts where it is one of these: "… and updates the settings".
SIDE_EFFECTS = _words(
    """
    add adjust alter append apply approve archive assign attach cancel change charge clear close
    commit configure copy create deactivate delete deny deploy disable drop edit enable enqueue
    erase grant import increment initiate insert install invoke kill launch lock mark merge migrate
    modify move notify overwrite persist post publish purge push record refund register reject
    remove rename reopen replace reset restart revise revoke rewrite save schedule send spawn start
    stop store submit switch sync terminate transfer trigger uninstall unlock unpublish update
    upload upsert void wipe write
    """
)

# These only look at the code or SQL that they are given.
LOOKS = _words(
    """
    analyse analyze check compare convert count describe diagnose explain lint parse review suggest
    summarise summarize translate troubleshoot validate verify
    """
)

# Arguments that carry code for a shell or an interpreter; CODE may be an identifier too, as in
# `get_airport(code)`.
SHELL = _words(
    """
    bash cmd command command_line commands exec javascript js js_code powershell python python_code
    script shell shell_command shell_commands
    """
)
CODE = _words("code source_code")
SQL = _words("mutation raw_query raw_sql sql sql_query sql_statement statement statements")

# Arguments that choose what a tool does.
CHOICES = _words("action actions command method mode op operation operations")

# Those that choose freely where no `enum` bounds them.
DOES = _words("action actions op operation operations")

# Arguments that name a file to write: `output_path`, `responseFilePath`.
OUTPUTS = _words("dest destination download output request response save")
PLACES = _words("dir directory folder path")
FILES = PLACES | _words("file filename")

# Arguments that are of use only to what changes something: `validate(dry_run)` is believed.
COMMITS = _words(
    """
    commit_message confirm confirmation confirmed dry_run idempotency_key new_name overwrite persist
    sandbox save save_as save_to_file write_to_file
    """
)

# Arguments that name an address, and those that are sent there.
ADDRESSES = _words("endpoint target_url uri url urls")
PAYLOADS = _words("body data form_data http_method method payload post_data")
