public import MartletModel

/// Every problem that a caller of the admin API can meet. Title and remedy are what the reference page says.
public enum APIErrors {
    public static let malformedJSON = ErrorCode(
        "malformed_json", status: 400, title: "The body is not well-formed JSON", remedy: "Send one JSON object in UTF-8.")
    public static let malformedHeader = ErrorCode(
        "malformed_header", status: 400, title: "A header cannot be read",
        remedy: "The detail names it. If-Match holds one ETag as it was answered; Martlet-Reason at most 1024 bytes.")
    public static let unauthenticated = ErrorCode(
        "unauthenticated", status: 401, title: "No valid admin key was presented",
        remedy: "Send `Authorization: Bearer KEY` with a key printed by `martlet principal add` or `rotate`.")
    public static let forbidden = ErrorCode(
        "forbidden", status: 403, title: "The principal lacks the right for this",
        remedy: "The detail names the right; ask somebody who has it and may manage principals. The attempt stands in the audit.")
    public static let notFound = ErrorCode(
        "not_found", status: 404, title: "There is no such thing for this principal",
        remedy: "Check the path and the name. What belongs to another unit is not found either.")
    public static let methodNotAllowed = ErrorCode(
        "method_not_allowed", status: 405, title: "The resource does not take this method", remedy: "Use a method named in Allow.")
    public static let conflict = ErrorCode(
        "conflict", status: 409, title: "It would break something else", remedy: "`errors` names the field and what stands in its way.")
    public static let changed = ErrorCode(
        "changed", status: 412, title: "It was changed since it was read",
        remedy: "Read it again, apply the change to what it is now, and send that with the new ETag.")
    public static let bodyTooLarge = ErrorCode(
        "body_too_large", status: 413, title: "The body is larger than the limit",
        remedy: "Send less; `desk.maximumBody` is the limit, of a file to be imported `imports.maximumFile`.")
    public static let invalid = ErrorCode(
        "invalid", status: 422, title: "Fields of the request cannot be taken",
        remedy: "Correct every entry of `errors`; nothing was changed. `path` is a JSON Pointer into the body, or `/` and the name of a "
            + "parameter or header; with the code `rulebook` it is the place of a finding, `event/card_payment$.plan`.")
    public static let versionMissing = ErrorCode(
        "version_missing", status: 428, title: "A change says which version it changes",
        remedy: "Send `If-Match` with the ETag of the answer in which it was read.")
    public static let importsFull = ErrorCode(
        "imports_full", status: 429, title: "So many imports wait, or come in, as the desk takes",
        remedy: "Try again after the seconds in Retry-After; `GET /v1/imports` shows what waits.")
    public static let broken = ErrorCode(
        "broken", status: 500, title: "Martlet met a fault of its own", remedy: "The log of the desk says more; tell the operators.")
    public static let tampered = ErrorCode(
        "tampered", status: 500, title: "A row of the database is not as Martlet wrote it",
        remedy: "It is not used. Somebody or something changed the database: look who, then restore the row from a backup.")
    public static let storeAway = ErrorCode(
        "store_away", status: 503, title: "The database is away or busy",
        remedy: "Try again after the seconds in Retry-After; `/readyz` of the desk says since when. Sending is not concerned.")
    public static let starting = ErrorCode(
        "starting", status: 503, title: "The desk has not begun to work",
        remedy: "The detail says what it waits for, as `/readyz` of the desk does; it begins by itself. Sending is not concerned.")
    public static let outcomeUnknown = ErrorCode(
        "outcome_unknown", status: 503, title: "The database broke while it confirmed the change",
        remedy: "Read whether it happened before trying again.")
    public static let timeLimit = ErrorCode(
        "time_limit", status: 503, title: "The request took longer than it may",
        remedy: "Ask for less at once, or try again; `desk.timeLimit` is the limit.")

    public static let noRoom = ErrorCode(
        "no_room", status: 507, title: "The disk of the data directory has no room for the file",
        remedy: "Make room, or split the file; `imports.keepFree` is what stays free for the journal.")

    public static let all: [ErrorCode] = [
        malformedJSON, malformedHeader, unauthenticated, forbidden, notFound, methodNotAllowed, conflict, changed, bodyTooLarge, invalid,
        versionMissing, importsFull, broken, tampered, storeAway, starting, outcomeUnknown, timeLimit, noRoom,
    ]
}
