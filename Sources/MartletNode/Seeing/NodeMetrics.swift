public import MartletModel

/// What the node counts. Histograms are in seconds, by class where a class has its own promise.
public enum NodeMetrics {
    public static let accepted = Metric(
        "martlet_accepted_total", .counter, labels: ["class"], doc: "Submissions accepted and durable or about to be.")
    public static let refused = Metric("martlet_refused_total", .counter, labels: ["reason"], doc: "Submissions refused by the core.")
    public static let ended = Metric("martlet_ended_total", .counter, labels: ["class", "state"], doc: "Messages that reached their end.")
    public static let outcomes = Metric(
        "martlet_outcomes_total", .counter, labels: ["outcome"], doc: "Answers of providers to parts, by what they mean.")
    public static let receipts = Metric("martlet_receipts_total", .counter, labels: ["state"], doc: "Receipts heard.")
    public static let orphans = Metric("martlet_orphan_receipts", .gauge, doc: "Receipts kept whose message is not known.")
    public static let late = Metric(
        "martlet_late_receipts_total", .counter, doc: "Receipts of messages that had ended; kept in their story.")
    public static let duplicates = Metric(
        "martlet_possible_duplicates_total", .counter, doc: "Messages flagged possible duplicates after a crash or an unknown outcome.")
    public static let inquiries = Metric(
        "martlet_inquiries_total", .counter, labels: ["what", "result"],
        doc:
            "Parts that a provider was asked about (`query`) or told to forget (`cancel`), by what it said: `state` how the part stands, "
            + "`cancelled`, `refused`, `not_known` (it does not know the command), `silent`, `lost` (the bind, before the answer), `not_now` (too busy); "
            + "`not_asked` no bind, or the provider is left alone, `not_found` its id is not in the log.")
    public static let settledByQuery = Metric(
        "martlet_settled_by_query_total", .counter, doc: "Parts whose final state was learnt by asking and not by a receipt.")
    public static let inquiriesRest = Metric(
        "martlet_inquiries_rest", .gauge, labels: ["group", "what"],
        doc: "1 while a group is not asked, since its provider does not know the command or does not answer.")
    public static let replanned = Metric(
        "martlet_replanned_total", .counter, doc: "Waiting messages planned anew, since their operator's profile had changed.")
    public static let owed = Metric(
        "martlet_untold_messages", .gauge, doc: "Ended messages whose source has not heard of the end yet.")
    public static let told = Metric("martlet_told_total", .counter, labels: ["outcome"], doc: "Ends that were told, by what became of it.")
    public static let inbound = Metric(
        "martlet_inbound_total", .counter, labels: ["what"],
        doc:
            "Messages from handsets: `message` whole ones, `incomplete` those of them given up waiting for a part, `part` parts that had to "
            + "wait for others, `repeated` parts brought before.")
    public static let answers = Metric(
        "martlet_inbound_answers_total", .counter, labels: ["outcome"],
        doc: "Answers by rule to messages from handsets: `accepted` for sending, or `held_back` (too many to one number, or refused).")
    public static let preferences = Metric(
        "martlet_preferences_total", .counter, labels: ["what"],
        doc: "Customers who opted out (`opt_out`) or in again (`opt_in`) by a word.")
    public static let packageWords = Metric(
        "martlet_package_words_total", .counter, labels: ["outcome"],
        doc:
            "Words on packages from handsets: `connected`, `disconnected`, `unknown` from numbers that are not one customer's, `later` those that could not "
            + "be heeded then.")
    public static let optOutRefusals = Metric(
        "martlet_opt_out_refusals_total", .counter,
        doc: "Submissions refused since more numbers opted out than memory is meant for (20 million); all of these are heeded.")
    public static let optedOut = Metric("martlet_opted_out_numbers", .gauge, doc: "Numbers that opted out.")
    public static let parked = Metric(
        "martlet_parked_messages", .gauge, doc: "Of the untold, those that are told only when their source asks: every try failed.")
    public static let stale = Metric("martlet_stale_answers_total", .counter, doc: "Answers to something that was not open any more.")
    public static let open = Metric("martlet_open_messages", .gauge, doc: "Messages that have not reached their end.")
    public static let queued = Metric("martlet_queued_messages", .gauge, labels: ["group", "lane"], doc: "Messages waiting in a lane.")
    public static let outstanding = Metric(
        "martlet_connection_outstanding", .gauge, labels: ["connection"], doc: "Parts handed over and not answered.")
    public static let bound = Metric("martlet_connection_bound", .gauge, labels: ["connection"], doc: "1 while the connection is bound.")
    public static let accept = Metric(
        "martlet_accept_seconds", .histogram, labels: ["class"], doc: "From the whole request read to its record durable (the 202).")
    public static let wire = Metric(
        "martlet_accept_to_wire_seconds", .histogram, labels: ["class"],
        doc: "From the whole request read to the last byte of its first hand-over given to the operator's socket.")
    public static let answer = Metric(
        "martlet_wire_to_answer_seconds", .histogram, labels: ["connection"], doc: "From hand-over to the provider's answer.")
    public static let commit = Metric("martlet_journal_commit_seconds", .histogram, doc: "One batch: write and sync.")
    public static let commitRecords = Metric("martlet_journal_records_total", .counter, doc: "Records made durable.")
    public static let commitBatches = Metric("martlet_journal_commits_total", .counter, doc: "Batches made durable.")
    public static let journalLow = Metric(
        "martlet_journal_low", .gauge, doc: "1 while no further segment can be made: new work is refused.")
    public static let journalSegments = Metric("martlet_journal_segments", .gauge, doc: "Segments of the journal.")
    public static let journalFailures = Metric("martlet_journal_failures_total", .counter, doc: "Writes or syncs that failed.")
    public static let markFailures = Metric(
        "martlet_journal_mark_failures_total", .counter,
        doc: "Times that the journal's end could not be published to the desk, whose history is late until the next.")
    public static let indexFailures = Metric(
        "martlet_journal_index_failures_total", .counter,
        doc: "Segment indexes that could not be written or read; their messages are found in memory, or not until the index is made.")
    public static let keys = Metric(
        "martlet_idempotency_keys", .gauge, doc: "Idempotency keys remembered, those that go with the next old filter included.")
    public static let keyBytes = Metric("martlet_idempotency_filter_bytes", .gauge, doc: "Memory of the filters of idempotency keys.")
    public static let keyAnswers = Metric(
        "martlet_idempotency_repeated_total", .counter, doc: "Submissions that got the answer their key had before.")
    public static let keyQuestions = Metric(
        "martlet_idempotency_lookups_total", .counter, doc: "Keys that the filters could not deny and that were looked up on disk.")
    public static let keyFailures = Metric(
        "martlet_idempotency_failures_total", .counter,
        doc: "Times that the keys of a segment could not be written or read; a key that may be among them hears 503.")
    public static let sealed = Metric(
        "martlet_sealed_total", .counter, labels: ["key"],
        doc: "Payloads sealed with the key of the one customer whose number it is (`subject`), or of class and day (`day`).")
    public static let customers = Metric("martlet_customers", .gauge, doc: "Customers in the base file in use; 0: there is none.")
    public static let customersVersion = Metric("martlet_customers_base_version", .gauge, doc: "Version of the base file in use.")
    public static let customersBytes = Metric("martlet_customers_base_bytes", .gauge, doc: "Its size.")
    public static let customersRefused = Metric(
        "martlet_customers_base_refused_total", .counter, doc: "Base files that were damaged or made with other keys; the one before stays."
    )
    public static let customersChanges = Metric(
        "martlet_customers_overlay_changes", .gauge, doc: "Changes of customers since the base file; at 500,000 no more are taken.")
    public static let customersOverlay = Metric("martlet_customers_overlay_bytes", .gauge, doc: "Their file; at 128 MiB no more are taken.")
    public static let customersWaiting = Metric(
        "martlet_customers_facts_waiting", .gauge, doc: "Opt-outs and opt-ins that are in the journal and wait for the overlay.")
    public static let customersAlarm = Metric(
        "martlet_customers_alarm", .gauge, doc: "1 while a part of the local copy of customers cannot be used; `martlet status` says why.")
    public static let carried = Metric("martlet_carried_total", .counter, doc: "Open messages copied forward out of old segments.")
    public static let replayed = Metric("martlet_replayed_records_total", .counter, doc: "Records folded in at the start.")

    public static let sourceAccepted = Metric(
        "martlet_source_accepted_total", .counter, labels: ["source"],
        doc: "Messages of a source accepted since the data directory was made; survives restarts.")
    public static let sourceEnded = Metric(
        "martlet_source_ended_total", .counter, labels: ["source"], doc: "Messages of a source that ended, likewise.")
    public static let sourceOpen = Metric(
        "martlet_source_open_messages", .gauge, labels: ["source"], doc: "Open messages of a source, counted in the table.")
    public static let drift = Metric(
        "martlet_ledger_drift", .gauge, labels: ["source"],
        doc: "Accepted less ended less open; anything but 0 is a message that was lost or counted twice, and an alarm.")
    public static let miscount = Metric(
        "martlet_ledger_miscount", .gauge, labels: ["source"],
        doc: "Open messages by the running count less those found by the last whole count of the table; anything but 0 is an alarm.")
    public static let partsToday = Metric(
        "martlet_source_parts_today", .gauge, labels: ["source"], doc: "Parts of a source accepted on the day of its quota.")
    public static let quota = Metric(
        "martlet_source_daily_quota_parts", .gauge, labels: ["source"],
        doc: "Parts that a source may send in a day; only where it has a quota.")
    public static let held = Metric(
        "martlet_class_held", .gauge, labels: ["group", "class"], doc: "1 while a person holds the class back on the group.")

    public static let decisions = Metric(
        "martlet_decisions_total", .counter, labels: ["outcome", "reason"],
        doc:
            "Decisions about events: `told`, `held` or `suppressed`, and why where they are not told. An event that was held is decided again."
    )
    public static let skips = Metric(
        "martlet_decisions_skipped_total", .counter, labels: ["channel", "why"],
        doc:
            "Messages of a plan that a decision passed over, by channel and why: `no_contact` is the customer's, `no_route`, `no_key` or `value_missing` are for the bank to mend."
    )
    public static let planned = Metric(
        "martlet_planned_messages", .gauge, doc: "Messages of events about which a decision is due later: held, or a later step.")
    public static let decisionsWaiting = Metric(
        "martlet_decisions_waiting", .gauge, doc: "Decisions that are due and wait for their turn.")
    public static let customersUnreadable = Metric(
        "martlet_customers_unreadable_total", .counter,
        doc: "Times that what the local copy has of a customer could not be read or opened; the event was refused, or decided without it.")
    public static let capTimes = Metric(
        "martlet_cap_times", .gauge,
        doc: "Moments kept that count for caps and limits; near 67,108,864 caps let nothing pass, and limits everything.")
    public static let numberCapTimes = Metric(
        "martlet_number_cap_times", .gauge,
        doc:
            "Moments kept that count for caps of numbers that are no one customer's; near 8,388,608 no ready text with a cap goes to such a number."
    )

    public static let rulebook = Metric(
        "martlet_rulebook_release", .gauge, doc: "Number of the published rulebook in use; 0: none, the settings hold.")
    public static let rulebookRefused = Metric(
        "martlet_rulebook_refused_release", .gauge,
        doc:
            "Number of the newest published rulebook where it cannot be used and an older one holds; 0: it is in use. Anything else is an "
            + "alarm.")

    public static let all: [Metric] = [
        accepted, refused, ended, outcomes, receipts, orphans, late, duplicates, inquiries, settledByQuery, inquiriesRest, replanned, stale,
        open, owed, parked, told, inbound,
        answers, preferences, packageWords, optedOut, optOutRefusals, queued, outstanding, bound,
        accept, wire,
        answer, commit, commitRecords, commitBatches, journalLow, journalSegments, journalFailures, markFailures, indexFailures,
        carried, replayed, sourceAccepted, sourceEnded, sourceOpen, drift, miscount, partsToday, quota, held,
        keys, keyBytes, keyAnswers, keyQuestions, keyFailures, rulebook, rulebookRefused,
        sealed, customers, customersVersion, customersBytes, customersRefused, customersChanges, customersOverlay, customersWaiting,
        customersAlarm, customersUnreadable, decisions, skips, planned, decisionsWaiting, capTimes, numberCapTimes,
    ]
}

/// The node's own counters, confined to its loop.
struct NodeCounters {
    var refused: [String: Int] = [:]
    var accept = [Histogram](repeating: Histogram(), count: 16)
    var wire = [Histogram](repeating: Histogram(), count: 16)
    var answer: [ConnectionNumber: Histogram] = [:]
    var commit = Histogram()
    var records = 0
    /// Payloads by whose key sealed them: class and day, subject.
    var sealed = [0, 0]
    var batches = 0
    /// Look-ups of customers whose record or details could not be read.
    var unreadableCustomers = 0
}
