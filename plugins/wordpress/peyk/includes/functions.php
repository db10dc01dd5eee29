<?php
/**
 * What other plugins may call.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Sends a text.
 *
 * @param string|string[] $to   One mobile number or many, in any form; what is no mobile number is left out.
 * @param string          $text The text.
 * @param array           $args {
 *     Optional.
 *
 *     @type string $mode    `background` (the setting of the site) or `now`: the call waits for the service.
 *     @type string $line    The line to send from.
 *     @type string $time    Send later: `YYYY-MM-DD HH:MM:SS` in Tehran's time.
 *     @type string $key     A name for this message: a second one of that name is not sent.
 *     @type string $origin  Who asks, for the log.
 *     @type bool   $private Whether the text is removed from the log once it is sent, as a code should be.
 *     @type bool   $retry   Whether it is tried again later when nobody answers; by default only in the background.
 * }
 * @return int|true|WP_Error The bulk id with `now`; true when it waits to be sent.
 */
function peyk_send( $to, $text, $args = array() ) {
	$args = wp_parse_args(
		$args,
		array(
			'mode'    => Peyk_Settings::get( 'mode' ),
			'line'    => '',
			'time'    => '',
			'key'     => '',
			'origin'  => '',
			'private' => false,
			'retry'   => null,
		)
	);
	foreach ( array( 'mode', 'line', 'time', 'key', 'origin' ) as $name ) {
		$args[ $name ] = is_scalar( $args[ $name ] ) ? (string) $args[ $name ] : '';
	}
	/**
	 * Changes how a message is sent.
	 *
	 * @param array           $args See above.
	 * @param string|string[] $to   The numbers as they were given.
	 * @param string          $text The text.
	 */
	$args = apply_filters( 'peyk_send_args', $args, $to, $text );
	if ( null === $args['retry'] ) {
		$args['retry'] = 'now' !== $args['mode'];
	}
	/**
	 * Changes to whom a message goes. An empty list stops it.
	 *
	 * @param string[] $numbers Mobile numbers as `+98…`.
	 * @param array    $args    See above.
	 */
	$numbers = Peyk_Numbers::mobiles( apply_filters( 'peyk_recipients', Peyk_Numbers::mobiles( $to ), $args ) );
	/**
	 * Changes the text of a message.
	 *
	 * @param string   $text    The text.
	 * @param string[] $numbers Mobile numbers as `+98…`.
	 * @param array    $args    See above.
	 */
	$text = trim( (string) apply_filters( 'peyk_text', $text, $numbers, $args ) );

	if ( array() === $numbers ) {
		return new WP_Error( 'peyk_no_number', __( 'There is no mobile number to send to.', 'peyk' ) );
	}
	if ( count( $numbers ) > Peyk_Messages::RECIPIENTS_MAX ) {
		/* translators: %d: a number of recipients */
		return new WP_Error( 'peyk_too_many', sprintf( __( 'A message goes to at most %d numbers.', 'peyk' ), Peyk_Messages::RECIPIENTS_MAX ) );
	}
	if ( '' === $text || mb_strlen( $text ) > Peyk_Messages::TEXT_MAX ) {
		/* translators: %d: a number of characters */
		return new WP_Error( 'peyk_text', sprintf( __( 'A text has 1 to %d characters.', 'peyk' ), Peyk_Messages::TEXT_MAX ) );
	}

	$id = Peyk_Messages::add( $numbers, $text, $args );
	if ( is_wp_error( $id ) ) {
		return $id;
	}
	if ( 'now' !== $args['mode'] ) {
		Peyk_Messages::schedule( $id );
		return true;
	}
	$timeout = min( Peyk_Messages::NOW_SECONDS_MAX, (int) Peyk_Settings::get( 'timeout' ) );
	return Peyk_Messages::deliver( $id, $timeout );
}

/**
 * The mobile number of a user, as `+98…`; an empty text when there is none.
 *
 * @param int $user_id The user.
 */
function peyk_user_number( $user_id ) {
	$number = Peyk_Numbers::mobile( get_user_meta( $user_id, 'peyk_phone', true ) );
	if ( '' === $number ) {
		$number = Peyk_Numbers::mobile( get_user_meta( $user_id, 'billing_phone', true ) );
	}
	/**
	 * Changes the mobile number of a user.
	 *
	 * @param string $number  `+98…`, or an empty text.
	 * @param int    $user_id The user.
	 */
	return Peyk_Numbers::mobile( apply_filters( 'peyk_user_number', $number, $user_id ) );
}
