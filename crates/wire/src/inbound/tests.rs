use proptest::prelude::*;

use super::*;

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 4).unwrap();
    [&[tag][..], &len.to_be_bytes(), body].concat()
}

fn row(values: &[Option<&str>]) -> Vec<u8> {
    let mut body = u16::try_from(values.len()).unwrap().to_be_bytes().to_vec();
    for value in values {
        let len = value.map_or(-1, |value| i32::try_from(value.len()).unwrap());
        body.extend(len.to_be_bytes());
        body.extend(value.unwrap_or_default().bytes());
    }
    message(b'D', &body)
}

/// The answer to a flight with one prelude statement.
fn answer(value: &str) -> Vec<u8> {
    [
        message(b'1', b""),
        message(b'2', b""),
        row(&[Some("dropped")]),
        message(b'C', b"SELECT 1\0"),
        message(b'1', b""),
        message(b'2', b""),
        row(&[Some(value), None, Some("")]),
        message(b'S', b"TimeZone\0UTC\0"),
        row(&[None, Some("second"), Some("row")]),
        message(b'C', b"SELECT 2\0"),
        message(b'Z', b"I"),
    ]
    .concat()
}

const SHAPE: Shape = Shape {
    begin: false,
    prelude: 1,
    kept: 1,
    unkept: 0,
    closing: 0,
};

#[test]
fn an_answer_may_arrive_in_any_pieces() {
    let answer = answer("first");
    let mut reply = Reply::new(SHAPE);
    for end in 0..answer.len() {
        assert_eq!(reply.advance(&answer[..end]).unwrap(), None);
        assert!(reply.missing(&answer[..end]).unwrap() > 0);
    }
    assert_eq!(reply.advance(&answer).unwrap(), Some(Status::Idle));
    assert_eq!(reply.parsed, 2);
    let result = reply.into_result(&mut BytesMut::from(&answer[..]));
    assert_eq!((result.len(), result.width()), (2, 3));
    assert_eq!(result.text(0, 0), Some("first"));
    assert_eq!(result.text(0, 1), None);
    assert_eq!(result.text(0, 2), Some(""));
    assert_eq!(result.text(1, 2), Some("row"));
    assert_eq!(result.command_tag(), "SELECT 2");
}

#[test]
fn what_follows_an_answer_belongs_to_the_next_one() {
    for value in ["short".to_owned(), "long".repeat(COPIED)] {
        let notice = message(b'S', b"TimeZone\0UTC\0");
        let (head, tail) = notice.split_at(7);
        let mut buffer = BytesMut::from(&[&answer(&value), head].concat()[..]);
        let mut reply = Reply::new(SHAPE);
        assert_eq!(reply.advance(&buffer).unwrap(), Some(Status::Idle));
        let result = reply.into_result(&mut buffer);
        assert_eq!(&buffer[..], head);
        buffer.extend_from_slice(tail);
        buffer.extend_from_slice(&answer("next"));
        let mut reply = Reply::new(SHAPE);
        assert_eq!(reply.advance(&buffer).unwrap(), Some(Status::Idle));
        let next = reply.into_result(&mut buffer);
        assert!(buffer.is_empty());
        assert_eq!(
            (result.text(0, 0), next.text(0, 0)),
            (Some(value.as_str()), Some("next"))
        );
    }
}

#[test]
fn the_failed_part_is_told_from_the_others() {
    let shape = Shape {
        begin: true,
        prelude: 2,
        kept: 1,
        unkept: 0,
        closing: 0,
    };
    let parts: Vec<_> = (0..5).map(|completed| shape.origin(completed)).collect();
    let expected = [
        Origin::Begin,
        Origin::Prelude(0),
        Origin::Prelude(1),
        Origin::Statement,
        Origin::End,
    ];
    assert_eq!(parts, expected);
    assert_eq!(Shape::ALONE.origin(0), Origin::Statement);
}

proptest! {
    #[test]
    fn no_answer_panics(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        tags in proptest::collection::vec(
            (proptest::sample::select(&b"12CDETZNStn"[..]),
             proptest::collection::vec(any::<u8>(), 0..40)),
            0..10,
        ),
    ) {
        let framed: Vec<u8> = tags.iter().flat_map(|(tag, body)| message(*tag, body)).collect();
        bytes.splice(0..0, framed);
        let mut reply = Reply::new(Shape::ALONE);
        match reply.advance(&bytes) {
            Ok(Some(_)) => {
                let result = reply.into_result(&mut BytesMut::from(&bytes[..]));
                let values = result.rows().flat_map(|row| (0..row.len()).map(move |at| row.bytes(at)));
                prop_assert_eq!(values.count(), result.len() * result.width());
                result.affected();
            }
            Ok(None) => prop_assert!(reply.missing(&bytes).is_err() || reply.cursor <= bytes.len()),
            Err(_) => {}
        }
    }
}
