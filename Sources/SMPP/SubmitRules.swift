/// What a server must refuse in a submit that reads well: values that SMPP 3.4 does not allow (sections 4.4.1 and 5.2).
/// Whether an address or a sender is wanted is the owner's to say.
public enum SubmitRules {
    /// The status to answer with; nil when nothing is wrong. `view` is of a submit_sm or data_sm, or the message of a submit_multi.
    public static func refusal(of view: MessageView, in frame: Frame) -> CommandStatus? {
        // Of an ESME: an ordinary message, or an acknowledgement by the recipient's equipment or hand (5.2.12).
        if ![0x00, 0x08, 0x10].contains(view.esmClass.type) { return .invalidEsmClass }
        if view.priority > 3 { return .invalidPriority }
        if !view.registeredDelivery.isStandard { return .invalidRegisteredDelivery }
        if view.replaceIfPresent > 1 { return .invalidReplaceFlag }
        if !view.scheduleDeliveryTime.isEmpty, PDUTime(frame[view.scheduleDeliveryTime]) == nil { return .invalidSchedule }
        if !view.validityPeriod.isEmpty, PDUTime(frame[view.validityPeriod]) == nil { return .invalidExpiry }
        // One or the other carries the text (5.3.2.32).
        if !view.shortMessage.isEmpty, !view.messagePayload.isEmpty { return .parameterNotAllowed }
        if view.esmClass.hasUserDataHeader, view.content.isEmpty { return .invalidMessageLength }
        return concatenation(view, in: frame)
    }

    /// The three sar_ parameters come together, with a segment within its total (5.3.2.22 to 5.3.2.24).
    private static func concatenation(_ view: MessageView, in frame: Frame) -> CommandStatus? {
        if view.parameters.area.isEmpty { return nil }
        var (reference, total, number): (Field?, UInt8?, UInt8?) = (nil, nil, nil)
        var wrongLength = false
        view.parameters.each(in: frame) { entry in
            switch entry.tag {
            case .sarReference:
                reference = entry.value
                wrongLength = wrongLength || entry.value.count != 2
            case .sarTotal, .sarNumber:
                guard entry.value.count == 1 else {
                    wrongLength = true
                    return
                }
                if entry.tag == .sarTotal { total = frame.bytes[entry.value.start] } else { number = frame.bytes[entry.value.start] }
            default: break
            }
        }
        if wrongLength { return .invalidParameterLength }
        if reference == nil, total == nil, number == nil { return nil }
        guard reference != nil, let total, let number else { return .missingParameter }
        return total >= 1 && number >= 1 && number <= total ? nil : .invalidParameterValue
    }
}
