import Guard
import MartletModel

/// A notice as Standard Webhooks has it: id, body, signature.
struct WebhookDocument {
    /// The same however often it is told: receivers drop what they have by it.
    let id: String
    let body: [UInt8]

    init(_ notice: Notice) {
        id = "msg_\(notice.id.notification.text)_\(notice.state.word)"
        var json = JSONWriter(into: [UInt8]())
        json.sink.reserveCapacity(640)
        json.object { json in
            json.member("type", "\(notice.event == nil ? "message" : "notification").\(notice.state.word)")
            json.member("timestamp", MartletModel.timestamp(notice.endedAt * 1000))
            json.key("data")
            json.object { json in
                if notice.state == .received { notice.writeReceived(to: &json) } else { notice.write(to: &json) }
            }
        }
        body = json.sink
    }

    /// - Parameter seconds: since 1970, of this try.
    func headers(_ secrets: [WebhookSecret], at seconds: Int64) -> [(name: String, value: String)] {
        [
            ("content-type", "application/json"), ("user-agent", "Martlet"), ("webhook-id", id), ("webhook-timestamp", String(seconds)),
            ("webhook-signature", secrets.map { $0.signature(id: id, timestamp: seconds, body: body) }.joined(separator: " ")),
        ]
    }
}

extension Notice {
    /// A message from a handset, whole: nobody else tells the source what it says.
    fileprivate func writeReceived(to json: inout JSONWriter<[UInt8]>) {
        json.member("id", id.notification.text)
        json.member("from", payload.reference)
        json.member("to", payload.from)
        json.member("text", payload.text)
        json.member("parts", Int(parts))
        json.key("inReplyTo")
        if payload.inReplyTo == .none { json.null() } else { json.string(payload.inReplyTo.text) }
        json.member("receivedAt", timestamp(endedAt * 1000))
    }

    /// What `GET /v1/messages/{id}` says of the end, but for the attempts. The number is masked: the source knows it by the id and its own
    /// reference, and bodies of webhooks end in the logs of whatever stands between.
    fileprivate func write(to json: inout JSONWriter<[UInt8]>) {
        json.member("id", id.notification.text)
        json.member("state", state.notificationWord)
        json.key("reason")
        if reason == .none { json.null() } else { json.string(reason.word) }
        json.member("class", messageClass.word)
        if let event, let outcome {
            json.key("event")
            if event.isEmpty { json.null() } else { json.string(event) }
            json.member("outcome", outcome.word)
        }
        json.key("reference")
        if payload.reference.isEmpty { json.null() } else { json.string(payload.reference) }
        json.member("from", payload.from)
        json.member("to", payload.to.digits == 0 ? "" : payload.to.masked)
        json.member("parts", Int(parts))
        json.key("error")
        if error == 0 { json.null() } else { json.integer(error) }
        json.member("possibleDuplicate", possibleDuplicate)
        json.member("createdAt", timestamp(id.milliseconds * 1000))
        json.member("endedAt", timestamp(endedAt * 1000))
    }
}
