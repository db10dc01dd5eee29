<?php
/**
 * Calls of the web service.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * A small client on WordPress's own HTTP functions, so that proxies and filters of the site apply. Errors:
 * `peyk_not_set_up`, `peyk_unreachable`, `peyk_denied`, `peyk_strange_answer`, and `peyk_refused`, whose
 * data hold the code of the service.
 */
final class Peyk_Api {

	/** Octets of the longest answer that is read. */
	const ANSWER_BYTES_MAX = 1048576;

	/** Seconds for which the credit is not asked for again. */
	const CREDIT_SECONDS = 300;

	/** Seconds for which a failure to learn the credit is not tried again. */
	const CREDIT_FAILED_SECONDS = 60;

	/**
	 * Sends a text. Gives the bulk id.
	 *
	 * @param string[] $to      Numbers.
	 * @param string   $text    The text.
	 * @param array    $more    `from`, `time`, `localid`: the same `localid` within 24 hours sends nothing again.
	 * @param int|null $timeout Seconds.
	 * @return int|WP_Error
	 */
	public static function send( array $to, $text, array $more = array(), $timeout = null ) {
		$fields = array_merge(
			array(
				// With commas and not as an array, beside which a text such as ["a"] would be read as many.
				'to'      => implode( ',', $to ),
				'message' => $text,
			),
			$more
		);
		$data = self::call( 'send', $fields, $timeout );
		if ( is_wp_error( $data ) ) {
			return $data;
		}
		return is_int( $data ) && $data > 0 ? $data : self::strange( wp_json_encode( $data ) );
	}

	/**
	 * What can be spent, in rials, as the service writes it.
	 *
	 * @param int|null $timeout Seconds.
	 * @return string|WP_Error
	 */
	public static function credit( $timeout = null ) {
		$data = self::call( 'credit', array(), $timeout );
		if ( is_wp_error( $data ) ) {
			return $data;
		}
		return is_scalar( $data ) && is_numeric( $data ) ? (string) $data : self::strange( wp_json_encode( $data ) );
	}

	/**
	 * The credit, asked for now and then.
	 *
	 * @return string|WP_Error
	 */
	public static function remembered_credit() {
		$known = get_transient( 'peyk_credit' );
		if ( false !== $known ) {
			return $known;
		}
		$credit = self::credit( 5 );
		set_transient( 'peyk_credit', $credit, is_wp_error( $credit ) ? self::CREDIT_FAILED_SECONDS : self::CREDIT_SECONDS );
		return $credit;
	}

	/**
	 * The numbers of the lines that can send.
	 *
	 * @return string[]|WP_Error
	 */
	public static function lines() {
		$data = self::call( 'lines', array(), 5 );
		if ( is_wp_error( $data ) ) {
			return $data;
		}
		$lines = array();
		foreach ( (array) json_decode( (string) $data, true ) as $item ) {
			$line = is_string( $item ) ? json_decode( $item, true ) : $item;
			if ( isset( $line['number'] ) && isset( $line['send'] ) && '1' === (string) $line['send'] ) {
				$lines[] = (string) $line['number'];
			}
		}
		return $lines;
	}

	/**
	 * Calls an operation; gives `data` of `[0,data]`.
	 *
	 * @param string   $op      The operation.
	 * @param array    $fields  Its parameters.
	 * @param int|null $timeout Seconds; the setting when null.
	 * @return mixed|WP_Error
	 */
	private static function call( $op, array $fields, $timeout ) {
		if ( ! Peyk_Settings::is_complete() ) {
			return new WP_Error( 'peyk_not_set_up', __( 'The address, the user or the password of the SMS service is not set.', 'peyk' ) );
		}
		$login = 'key' === Peyk_Settings::get( 'login' )
			? array( 'apikey' => Peyk_Settings::secret() )
			: array(
				'uname' => Peyk_Settings::get( 'username' ),
				'pass'  => Peyk_Settings::secret(),
			);
		$arguments = array(
			'timeout'             => null === $timeout ? (int) Peyk_Settings::get( 'timeout' ) : $timeout,
			// A redirection would carry the password elsewhere.
			'redirection'         => 0,
			'limit_response_size' => self::ANSWER_BYTES_MAX,
			'user-agent'          => 'peyk-wordpress/' . PEYK_VERSION,
			'body'                => array_merge( $login, array( 'op' => $op ), $fields ),
		);
		$answer = wp_remote_post( Peyk_Settings::endpoint( Peyk_Settings::get( 'url' ) ), $arguments );
		if ( is_wp_error( $answer ) ) {
			return new WP_Error( 'peyk_unreachable', $answer->get_error_message() );
		}
		$status = (int) wp_remote_retrieve_response_code( $answer );
		if ( 200 !== $status ) {
			/* translators: %d: an HTTP status such as 503 */
			$text = sprintf( __( 'The SMS service answers with HTTP status %d.', 'peyk' ), $status );
			return new WP_Error( $status >= 500 ? 'peyk_unreachable' : 'peyk_strange_answer', $text );
		}
		return self::read( wp_remote_retrieve_body( $answer ) );
	}

	/**
	 * Reads an answer.
	 *
	 * @param string $body The answer.
	 * @return mixed|WP_Error
	 */
	private static function read( $body ) {
		$body = trim( (string) $body );
		if ( 'deny' === trim( $body, '"' ) ) {
			return new WP_Error( 'peyk_denied', __( 'The address of this web server is not on the list of addresses that the account allows.', 'peyk' ) );
		}
		$answer = json_decode( $body, true );
		if ( ! is_array( $answer ) || ! isset( $answer[0], $answer[1] ) || ! is_int( $answer[0] ) ) {
			return self::strange( $body );
		}
		if ( 0 !== $answer[0] ) {
			$text = is_string( $answer[1] ) ? $answer[1] : '';
			return new WP_Error( 'peyk_refused', sprintf( '%d: %s', $answer[0], $text ), array( 'code' => $answer[0] ) );
		}
		return $answer[1];
	}

	/**
	 * Something else than the service answered.
	 *
	 * @param string $body The answer.
	 */
	private static function strange( $body ) {
		$shown = mb_substr( wp_strip_all_tags( (string) $body ), 0, 100 );
		/* translators: %s: the beginning of the answer */
		return new WP_Error( 'peyk_strange_answer', sprintf( __( 'This is no answer of an SMS service: %s', 'peyk' ), $shown ) );
	}
}
