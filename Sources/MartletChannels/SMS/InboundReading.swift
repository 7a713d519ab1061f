import MartletModel
import SMPP
import SMSText

/// A deliver_sm or data_sm that is no receipt: a message from a handset, or one part of it.
enum InboundReading {
    static func read(_ view: MessageView, _ frame: Frame, group: GroupNumber) -> Inbound {
        var octets = frame[view.content]
        var header: UserDataHeader?
        if view.esmClass.hasUserDataHeader, let found = UserDataHeader.parse(octets) {
            header = found
            octets = UnsafeRawBufferPointer(rebasing: octets[found.octets...])
        }
        return Inbound(
            group: group, from: frame.text(view.source.text), to: frame.text(view.destination.text), octets: Array(octets),
            dataCoding: view.dataCoding, singleShift: header?.singleShift ?? 0, lockingShift: header?.lockingShift ?? 0,
            part: header?.concatenation.flatMap(part) ?? segment(view.parameters, frame))
    }

    private static func part(_ place: UserDataHeader.Concatenated) -> Inbound.Part? {
        Inbound.Part(
            kind: place.kind == .udh16 ? .header16 : .header8, reference: place.reference, total: place.total, number: place.number)
    }

    /// sar_msg_ref_num, sar_total_segments, sar_segment_seqnum (SMPP 3.4, sections 5.3.2.22 to 24); nil unless all three are there.
    private static func segment(_ parameters: ParameterList, _ frame: Frame) -> Inbound.Part? {
        guard !parameters.area.isEmpty, let reference = octets(.sarReference, 2, parameters, frame),
            let total = octets(.sarTotal, 1, parameters, frame), let number = octets(.sarNumber, 1, parameters, frame)
        else { return nil }
        return Inbound.Part(
            kind: .sar, reference: UInt16(reference[0]) << 8 | UInt16(reference[1]), total: total[0], number: number[0])
    }

    private static func octets(_ tag: Tag, _ count: Int, _ parameters: ParameterList, _ frame: Frame) -> UnsafeRawBufferPointer? {
        guard let value = parameters.first(tag, in: frame).map({ frame[$0] }), value.count == count else { return nil }
        return value
    }
}
