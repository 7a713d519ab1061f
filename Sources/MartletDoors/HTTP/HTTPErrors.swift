public import MartletModel

/// Every error that a sender system can meet at this door. The title and the remedy are what the reference page says.
public enum HTTPErrors {
    // Of the request as a whole.
    public static let malformedRequest = ErrorCode(
        "malformed_request", status: 400, title: "The request is not well-formed HTTP",
        remedy: "Send one Host header, Content-Length or chunked coding but not both, and no control characters. The connection is closed.")
    public static let malformedJSON = ErrorCode(
        "malformed_json", status: 400, title: "The body is not well-formed JSON",
        remedy: "Send one JSON object in UTF-8, without duplicate names or trailing text; the message says at which byte it goes wrong.")
    public static let invalidIdempotencyKey = ErrorCode(
        "invalid_idempotency_key", status: 400, title: "Not an idempotency key",
        remedy: "Send one Idempotency-Key of 1 to 255 printable ASCII characters, such as a UUID, or none.")
    public static let queryNotSupported = ErrorCode(
        "query_not_supported", status: 400, title: "The resource takes no query",
        remedy: "Leave out the question mark and what follows it.")
    public static let unauthenticated = ErrorCode(
        "unauthenticated", status: 401, title: "No valid key was presented",
        remedy: "Send `Authorization: Bearer KEY` with the key printed by `martlet source add`; a revoked key needs to be replaced.")
    public static let certificateMismatch = ErrorCode(
        "certificate_mismatch", status: 401, title: "The key may not be used over this connection",
        remedy: "The source is bound to client certificates: connect with one of those, or ask the administrator to add yours "
            + "(`martlet source certificates`).")
    public static let scopeMissing = ErrorCode(
        "scope_missing", status: 403, title: "The key lacks the scope for this",
        remedy: "Posting needs the scope `send`, reading needs `read`; ask for a source with that scope.")
    public static let notFound = ErrorCode(
        "not_found", status: 404, title: "There is no such resource for this source",
        remedy: "Check the path and the id. A message of another source is not found either.")
    public static let methodNotAllowed = ErrorCode(
        "method_not_allowed", status: 405, title: "The resource does not take this method",
        remedy: "Use a method named in the Allow header.")
    public static let alreadyHandedOver = ErrorCode(
        "already_handed_over", status: 409, title: "The message can no longer be cancelled",
        remedy: "It was handed to a provider, or had ended; read its state.")
    public static let alreadySuppressed = ErrorCode(
        "already_suppressed", status: 409, title: "There is nothing to cancel because its customer is not told",
        remedy: "Nothing. It had ended with a decision not to tell; its state says the reason.")
    public static let keyInFlight = ErrorCode(
        "idempotency_key_in_flight", status: 409, title: "The first request with this idempotency key has no answer yet",
        remedy: "Send the same request again after the seconds in Retry-After; it then gets the answer of the first.")
    public static let requestTimeout = ErrorCode(
        "request_timeout", status: 408, title: "The request did not arrive in time",
        remedy: "Send head and body without pause; the connection is closed. The request had no effect, but for the lines of a batch "
            + "that were answered before.")
    public static let bodyTooLarge = ErrorCode(
        "body_too_large", status: 413, title: "The body is larger than the limit",
        remedy: "Send less; the limit is `http.maximumBody`, of an event 64 KiB if that is more, of a batch `http.maximumBatchBody`. The "
            + "connection is closed.")
    public static let eventTooLarge = ErrorCode(
        "event_too_large", status: 413, title: "The event says more than is kept of one",
        remedy:
            "Shorten its parameters: names and values of an event have \(EventPayload.Happened.maximumBytes) bytes together. Nothing was kept."
    )
    public static let lineTooLarge = ErrorCode(
        "line_too_large", status: 413, title: "The line is larger than the limit",
        remedy:
            "End each message of a batch with a line feed; `http.maximumBody` is the limit of a line, 64 KiB of an event if that is more. "
            + "The lines after it are taken.")
    public static let tooManyLines = ErrorCode(
        "too_many_lines", status: 413, title: "The batch has more lines than the limit",
        remedy: "Send at most \(HTTPLimit.batchLines) lines in a batch. Those answered before this one are taken, the rest is not.")
    public static let unsupportedMediaType = ErrorCode(
        "unsupported_media_type", status: 415, title: "The body is of an unsupported type",
        remedy: "Send `Content-Type: application/json`, for a batch `application/x-ndjson` or `application/jsonl`, "
            + "charset UTF-8 if any, and no Content-Encoding.")
    public static let expectationFailed = ErrorCode(
        "expectation_failed", status: 417, title: "The expectation is not supported",
        remedy: "Only `Expect: 100-continue` is understood.")
    public static let invalidMessage = ErrorCode(
        "invalid_message", status: 422, title: "The message has fields that cannot be taken",
        remedy: "Correct every entry of `errors`; nothing of the message was kept.")
    public static let invalidEvent = ErrorCode(
        "invalid_event", status: 422, title: "The event has fields that cannot be taken",
        remedy: "Correct every entry of `errors`; nothing of the event was kept.")
    public static let keyReused = ErrorCode(
        "idempotency_key_reused", status: 422, title: "The idempotency key came before with another body",
        remedy:
            "Use a new key for each new message. A second try must have the very bytes of the first; after 24 hours a key may be used anew."
    )
    public static let invalidSearch = ErrorCode(
        "invalid_search", status: 422, title: "The search has fields that cannot be taken",
        remedy: "Correct every entry of `errors`. At least one of reference and to is needed.")
    public static let tooManyParts = ErrorCode(
        "too_many_parts", status: 422, title: "The text needs more parts than the limit",
        remedy: "Shorten the text, or keep to the GSM alphabet: one other character makes every part 67 instead of 153 characters long.")
    public static let noAlphabet = ErrorCode(
        "no_alphabet", status: 422, title: "The text has letters that its operator takes in no alphabet",
        remedy: "Write it with other letters; the administrator decides by the profile of the connection which alphabets an operator takes."
    )
    public static let noRoute = ErrorCode(
        "no_route", status: 422, title: "No connection serves this number",
        remedy: "Check the country code; the administrator decides by `routes` which numbers are served.")
    public static let rateLimited = ErrorCode(
        "rate_limited", status: 429, title: "The source sends more parts a second than it may",
        remedy: "Send again after the seconds in Retry-After, and spread what you send. Nothing of the message was kept.")
    public static let quotaUsedUp = ErrorCode(
        "quota_used_up", status: 429, title: "The source has used up its parts of the day",
        remedy: "Send again on the next day, which begins after the seconds in Retry-After, or ask the administrator for a larger quota. "
            + "Nothing of the message was kept.")
    public static let headTooLarge = ErrorCode(
        "head_too_large", status: 431, title: "The head of the request is larger than the limit",
        remedy: "Send at most 64 header fields, 8 KiB each and 16 KiB in all; the connection is closed.")
    public static let full = ErrorCode(
        "full", status: 503, title: "As many messages are open as the server may hold",
        remedy: "Send again after the seconds in Retry-After. Nothing of the message was kept.")
    public static let noRulebook = ErrorCode(
        "no_rulebook", status: 503, title: "No rulebook with events is in use",
        remedy: "Send again after the seconds in Retry-After; the administrator publishes a release that has events. Nothing was kept.")
    public static let storageTrouble = ErrorCode(
        "storage_trouble", status: 503, title: "The server cannot make messages durable at the moment",
        remedy: "Send again after the seconds in Retry-After. Nothing of the request was kept.")
    public static let customerUnreadable = ErrorCode(
        "customer_unreadable", status: 503, title: "What the server has of the customer cannot be read at the moment",
        remedy: "Ask again after the seconds in Retry-After; the log of the server says what is wrong. Nobody is called unknown for that.")
    public static let storyUnreadable = ErrorCode(
        "story_unreadable", status: 503, title: "The message is known but its log cannot be read at the moment",
        remedy: "Ask again after the seconds in Retry-After; if it stays, the administrator runs `martlet journal verify`.")
    public static let searchBusy = ErrorCode(
        "search_busy", status: 503, title: "Too many searches are waiting, or the search index is being made after a start",
        remedy: "Search again after the seconds in Retry-After.")
    public static let stopping = ErrorCode(
        "stopping", status: 503, title: "The server is stopping",
        remedy: "Connect again and send again after the seconds in Retry-After. Nothing of the message was kept.")
    public static let tooManyConnections = ErrorCode(
        "too_many_connections", status: 503, title: "As many connections are open as the server may hold",
        remedy: "Keep connections open and use them again instead of opening one for each request.")
    public static let versionNotSupported = ErrorCode(
        "version_not_supported", status: 505, title: "The version of HTTP is not supported",
        remedy: "Speak HTTP/1.1, or HTTP/2 from the first byte; the connection is closed.")

    // Of one field, in `errors[].code` of an `invalid_message`.
    public static let required = ErrorCode(
        "required", status: 422, title: "The field is missing", remedy: "Give it; for `from`, the source has no default either.")
    public static let wrongType = ErrorCode(
        "wrong_type", status: 422, title: "The value is of the wrong JSON type",
        remedy: "Texts are strings in quotes; `validity` is a whole number without quotes, fraction or exponent; `flash` and "
            + "`replaceIfPresent` are true or false without quotes.")
    public static let invalidNumber = ErrorCode(
        "invalid_number", status: 422, title: "Not an international number",
        remedy: "Write + and 7 to 15 digits beginning with the country code, without spaces or brackets (E.164).")
    public static let blankText = ErrorCode(
        "blank_text", status: 422, title: "The text has nothing to read", remedy: "Give at least one character that is not white space.")
    public static let controlCharacter = ErrorCode(
        "control_character", status: 422, title: "The value has a control character",
        remedy: "Remove it. In texts, line feed, carriage return, tab and form feed are taken; no other below U+0020, and not U+007F.")
    public static let cardNumber = ErrorCode(
        "card_number", status: 422, title: "The text holds a card number",
        remedy: "Write its last four digits only. `guard.cardNumbers` decides whether such texts are refused, or go out masked.")
    public static let invalidSender = ErrorCode(
        "invalid_sender", status: 422, title: "Not a sender id",
        remedy: "Give 1 to 15 digits, or 1 to 11 letters, digits, spaces and signs of the GSM alphabet with at least one letter.")
    public static let senderNotAllowed = ErrorCode(
        "sender_not_allowed", status: 422, title: "The source may not use this sender id",
        remedy: "Use one of the sender ids given to the source, or leave it out for its default.")
    public static let unknownClass = ErrorCode(
        "unknown_class", status: 422, title: "There is no such class",
        remedy: "Use one of: \(MessageClass.allCases.map(\.word).joined(separator: ", ")).")
    public static let classNotAllowed = ErrorCode(
        "class_not_allowed", status: 422, title: "The source may not use this class",
        remedy: "Use one of the classes given to the source, or leave it out for its default.")
    public static let validityOutOfRange = ErrorCode(
        "validity_out_of_range", status: 422, title: "The validity is out of range", remedy: "Give 1 to 604800 seconds (7 days).")
    public static let tooLong = ErrorCode(
        "too_long", status: 422, title: "The value is too long",
        remedy: "A reference holds at most 64 bytes of UTF-8, as does a customer's; a text of an event as many as its definition says.")
    public static let channelOff = ErrorCode(
        "channel_off", status: 422, title: "The channel is not in service on this server", remedy: "Use `sms`, or leave the field out.")
    public static let unknownChannel = ErrorCode(
        "unknown_channel", status: 422, title: "There is no such channel", remedy: "Use `sms`, or leave the field out.")
    public static let unknownField = ErrorCode(
        "unknown_field", status: 422, title: "There is no such field",
        remedy: "Correct its name or leave it out. Fields of a message are to, text, from, class, validity, reference, channel, flash, "
            + "replaceIfPresent; of a search reference, to, from, until, limit, cursor; of an event definition, customer, parameters, "
            + "occurredAt, deadline, reference, and of its explanation at and release besides.")
    public static let unknownDefinition = ErrorCode(
        "unknown_definition", status: 422, title: "There is no such event",
        remedy: "Use the key of an event of the rulebook in use; the administrator publishes those that there are.")
    public static let unknownParameter = ErrorCode(
        "unknown_parameter", status: 422, title: "The event has no such parameter",
        remedy: "Correct its name or leave it out; the event's definition says what it takes.")
    public static let invalidValue = ErrorCode(
        "invalid_value", status: 422, title: "The value does not have the form of its type",
        remedy: "Write it as the message says: money as an object of `amount` and `currency`, decimals, dates and times in quotes.")
    public static let deadlineOutOfRange = ErrorCode(
        "deadline_out_of_range", status: 422, title: "The deadline is out of range",
        remedy:
            "Give 1 to \(EventDefinition.longest) seconds after it happened (366 days), or leave it out for that of the event's definition."
    )
    public static let inFuture = ErrorCode(
        "in_future", status: 422, title: "It would happen only later",
        remedy:
            "Report what happened; `occurredAt` is at most \(HTTPLimit.eventAhead / 1_000_000) seconds ahead. Set the clock that wrote it.")
    public static let unknownRelease = ErrorCode(
        "unknown_release", status: 422, title: "There is no such release on this server",
        remedy: "Name one of the last releases that were published, or leave it out for the one in use.")
    public static let invalidTime = ErrorCode(
        "invalid_time", status: 422, title: "Not a time, or not a period",
        remedy: "Write date, time and zone as in 2026-11-22T18:04:09Z (RFC 3339); `until` is later than `from`.")
    public static let limitOutOfRange = ErrorCode(
        "limit_out_of_range", status: 422, title: "The size of a page is out of range",
        remedy: "Give 1 to \(MessageSearch.limitMaximum), or leave it out for 20.")
    public static let invalidCursor = ErrorCode(
        "invalid_cursor", status: 422, title: "Not a cursor of this search",
        remedy:
            "Give `next` of the answer before as `cursor`, with all other fields but `limit` as they were; or leave it out to begin anew.")
    public static let tooManyErrors = ErrorCode(
        "too_many_errors", status: 422, title: "There are more errors than are listed", remedy: "Correct those listed and send again.")

    /// Codes that stand in `type` of a problem.
    public static let problems: [ErrorCode] = [
        malformedRequest, malformedJSON, invalidIdempotencyKey, queryNotSupported, unauthenticated, certificateMismatch, scopeMissing,
        notFound, methodNotAllowed, alreadyHandedOver, alreadySuppressed, keyInFlight, requestTimeout, bodyTooLarge, eventTooLarge,
        lineTooLarge,
        tooManyLines, unsupportedMediaType, expectationFailed, invalidMessage, invalidEvent, keyReused, invalidSearch, tooManyParts,
        noAlphabet, noRoute, rateLimited,
        quotaUsedUp, headTooLarge, full, noRulebook, storageTrouble, customerUnreadable, storyUnreadable, searchBusy, stopping,
        tooManyConnections, versionNotSupported,
    ]
    /// Codes that stand only in `errors` of a problem.
    public static let fields: [ErrorCode] = [
        required, wrongType, invalidNumber, blankText, controlCharacter, cardNumber, invalidSender, senderNotAllowed, unknownClass,
        classNotAllowed, validityOutOfRange, tooLong, channelOff, unknownChannel, unknownField, unknownDefinition,
        unknownParameter, invalidValue, deadlineOutOfRange, inFuture, unknownRelease, invalidTime, limitOutOfRange, invalidCursor,
        tooManyErrors,
    ]
    public static let all: [ErrorCode] = problems + fields
}
