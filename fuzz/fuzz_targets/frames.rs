//! Any frame is read or refused, and what was read is written so that it is read again.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use passerelle_realtime::frame::{Payload, Version, read_binary, write_binary};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for version in [Version::V1, Version::V2] {
            let Ok(read) = version.read(text) else {
                continue;
            };
            let Payload::Json(payload) = &read.payload else {
                panic!("text is JSON");
            };
            let (join_ref, msg_ref) = (read.join_ref.as_deref(), read.msg_ref.as_deref());
            let written = version.write(join_ref, msg_ref, &read.topic, &read.event, payload.get());
            let again = version.read(&written).expect("it is a frame");
            assert_eq!((&again.topic, &again.event), (&read.topic, &read.event));
            assert_eq!((&again.join_ref, &again.msg_ref), (&read.join_ref, &read.msg_ref));
        }
    }
    if let Ok(read) = read_binary(Bytes::copy_from_slice(bytes)) {
        let _too_long = write_binary(&read.topic, &read.event, "", bytes);
    }
});
