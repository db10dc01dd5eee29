<?php
/**
 * Messages: each is a row from the moment somebody asks for it. The rows are the queue and the log.
 *
 * @package Peyk
 */

defined( 'ABSPATH' ) || exit;

/**
 * A message is written first and sent after, by Action Scheduler where it is there (WooCommerce brings it),
 * else by WordPress's own cron. Each carries a key of its own (`localid`), by which the service sends it
 * once however often it is asked, so that an attempt whose answer was lost may be repeated.
 */
final class Peyk_Messages {

	const DELIVER = 'peyk_deliver';
	const SWEEP   = 'peyk_sweep';
	const GROUP   = 'peyk';

	/** Finished messages that the log keeps. */
	const ROWS_MAX = 500;

	/** Recipients of one message. */
	const RECIPIENTS_MAX = 1000;

	/** Characters of a text. */
	const TEXT_MAX = 2000;

	/** Seconds before each further attempt. Together they stay below the 24 hours of the key. */
	const PAUSES_SECONDS = array( 60, 300, 900, 3600 );

	/** Seconds after which an attempt that did not end is taken for dead. */
	const ATTEMPT_SECONDS_MAX = 600;

	/** Seconds that a message may take which somebody waits for. */
	const NOW_SECONDS_MAX = 5;

	/** Refusals that may pass: the operator is unreachable, the line is closed at this hour. */
	const PASSING_CODES = array( 9, 99, 992 );

	const TABLE_VERSION = '1';

	/** Where it meets WordPress. */
	public static function hook() {
		add_action( self::DELIVER, array( __CLASS__, 'deliver' ) );
		add_action( self::SWEEP, array( __CLASS__, 'sweep' ) );
		add_action( 'init', array( __CLASS__, 'upgrade' ) );
	}

	/** The table's name. */
	public static function table() {
		global $wpdb;
		return $wpdb->prefix . 'peyk_messages';
	}

	/** Makes the table. */
	public static function activate() {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$table   = self::table();
		$collate = $wpdb->get_charset_collate();
		dbDelta(
			"CREATE TABLE $table (
			id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
			created_at datetime NOT NULL,
			due_at datetime NOT NULL,
			claimed_at datetime DEFAULT NULL,
			state varchar(10) NOT NULL,
			attempts tinyint(3) unsigned NOT NULL DEFAULT 0,
			origin varchar(64) NOT NULL DEFAULT '',
			once_key varchar(120) DEFAULT NULL,
			local_id varchar(48) NOT NULL,
			line varchar(32) NOT NULL DEFAULT '',
			send_time varchar(32) NOT NULL DEFAULT '',
			recipients text NOT NULL,
			body text NOT NULL,
			is_private tinyint(1) NOT NULL DEFAULT 0,
			may_retry tinyint(1) NOT NULL DEFAULT 1,
			bulk_id bigint(20) unsigned DEFAULT NULL,
			error varchar(255) NOT NULL DEFAULT '',
			PRIMARY KEY  (id),
			UNIQUE KEY once_key (once_key),
			KEY state_due (state, due_at)
			) $collate;"
		);
		update_option( 'peyk_table', self::TABLE_VERSION );
		if ( ! wp_next_scheduled( self::SWEEP ) ) {
			wp_schedule_event( time() + self::ATTEMPT_SECONDS_MAX, 'hourly', self::SWEEP );
		}
	}

	/** Makes the table on sites where the plugin was not activated by hand: new sites of a network, updates. */
	public static function upgrade() {
		if ( self::TABLE_VERSION !== get_option( 'peyk_table' ) ) {
			self::activate();
		}
	}

	/** Stops the tasks; the messages stay. */
	public static function deactivate() {
		wp_unschedule_hook( self::DELIVER );
		wp_clear_scheduled_hook( self::SWEEP );
		if ( function_exists( 'as_unschedule_all_actions' ) ) {
			as_unschedule_all_actions( self::DELIVER, array(), self::GROUP );
		}
	}

	/** Removes everything of this site. */
	public static function uninstall() {
		global $wpdb;
		self::deactivate();
		$wpdb->query( 'DROP TABLE IF EXISTS ' . self::table() ); // phpcs:ignore WordPress.DB.PreparedSQL.NotPrepared
		foreach ( array( Peyk_Settings::OPTION, Peyk_Settings::SECRET, Peyk_Settings::TEXTS, 'peyk_table' ) as $option ) {
			delete_option( $option );
		}
		delete_transient( 'peyk_credit' );
	}

	/**
	 * Writes a message down.
	 *
	 * @param string[] $to   Numbers as `+98…`.
	 * @param string   $text The text.
	 * @param array    $args See peyk_send().
	 * @return int|WP_Error Its row; `peyk_duplicate` when its key was used before.
	 */
	public static function add( array $to, $text, array $args ) {
		global $wpdb;
		$now = self::now();
		$row = array(
			'created_at' => $now,
			'due_at'     => $now,
			'state'      => 'queued',
			'origin'     => substr( $args['origin'], 0, 64 ),
			'local_id'   => 'wp-' . wp_generate_uuid4(),
			'line'       => substr( $args['line'], 0, 32 ),
			'send_time'  => substr( $args['time'], 0, 32 ),
			'recipients' => implode( ',', $to ),
			'body'       => $text,
			'is_private' => $args['private'] ? 1 : 0,
			'may_retry'  => $args['retry'] ? 1 : 0,
		);
		if ( '' !== $args['key'] ) {
			$row['once_key'] = strlen( $args['key'] ) > 120 ? sha1( $args['key'] ) : $args['key'];
		}
		// A key that is there already is the very case that the unique index is for, and no error to print.
		$shown    = $wpdb->suppress_errors( true );
		$inserted = $wpdb->insert( self::table(), $row );
		$wpdb->suppress_errors( $shown );
		if ( false !== $inserted ) {
			return (int) $wpdb->insert_id;
		}
		if ( isset( $row['once_key'] ) && null !== self::find_key( $row['once_key'] ) ) {
			return new WP_Error( 'peyk_duplicate', __( 'This message was asked for before.', 'peyk' ) );
		}
		return new WP_Error( 'peyk_not_written', __( 'The message could not be written to the database.', 'peyk' ) );
	}

	/**
	 * The row with a key.
	 *
	 * @param string $key The key.
	 */
	private static function find_key( $key ) {
		global $wpdb;
		$query = 'SELECT id FROM ' . self::table() . ' WHERE once_key = %s';
		return $wpdb->get_var( $wpdb->prepare( $query, $key ) ); // phpcs:ignore WordPress.DB.PreparedSQL.NotPrepared
	}

	/**
	 * Has a message sent in the background.
	 *
	 * @param int $id    Its row.
	 * @param int $delay Seconds.
	 */
	public static function schedule( $id, $delay = 0 ) {
		$id = (int) $id;
		if ( function_exists( 'as_enqueue_async_action' ) && function_exists( 'as_schedule_single_action' ) ) {
			try {
				$action = $delay > 0
					? as_schedule_single_action( time() + $delay, self::DELIVER, array( $id ), self::GROUP )
					: as_enqueue_async_action( self::DELIVER, array( $id ), self::GROUP );
				if ( $action ) {
					return;
				}
			} catch ( Throwable $error ) {
				// Its tables may be missing or locked; WordPress's own cron is there in any case.
				self::complain( $error->getMessage() );
			}
		}
		wp_schedule_single_event( time() + $delay, self::DELIVER, array( $id ) );
	}

	/**
	 * Sends a message that waits. Whoever comes second finds nothing to do.
	 *
	 * @param int      $id      Its row.
	 * @param int|null $timeout Seconds; the setting when null.
	 * @return int|WP_Error|null The bulk id; null when it does not wait.
	 */
	public static function deliver( $id, $timeout = null ) {
		$message = self::claim( (int) $id );
		if ( null === $message ) {
			return null;
		}
		$more = array(
			'from'    => '' !== $message->line ? $message->line : Peyk_Settings::get( 'line' ),
			'localid' => $message->local_id,
		);
		if ( '' !== $message->send_time ) {
			$more['time'] = $message->send_time;
		}
		$result = Peyk_Api::send( explode( ',', $message->recipients ), $message->body, $more, $timeout );
		if ( is_wp_error( $result ) ) {
			self::failed( $message, $result );
		} else {
			self::sent( $message, $result );
		}
		return $result;
	}

	/**
	 * Takes a message that waits, so that nobody else does.
	 *
	 * @param int $id Its row.
	 */
	private static function claim( $id ) {
		global $wpdb;
		$table = self::table();
		// phpcs:disable WordPress.DB.PreparedSQL.InterpolatedNotPrepared
		$query = "UPDATE $table SET state = 'sending', attempts = attempts + 1, claimed_at = %s WHERE id = %d AND state = 'queued'";
		if ( 1 !== $wpdb->query( $wpdb->prepare( $query, self::now(), $id ) ) ) {
			return null;
		}
		return $wpdb->get_row( $wpdb->prepare( "SELECT * FROM $table WHERE id = %d", $id ) );
		// phpcs:enable
	}

	/**
	 * The service took it.
	 *
	 * @param object $message Its row.
	 * @param int    $bulk_id The bulk id.
	 */
	private static function sent( $message, $bulk_id ) {
		$change = array(
			'state'   => 'sent',
			'bulk_id' => $bulk_id,
			'error'   => '',
		);
		if ( $message->is_private ) {
			$change['body'] = '';
		}
		self::change( $message->id, $change );
		delete_transient( 'peyk_credit' );
		/**
		 * A message was taken by the service.
		 *
		 * @param int    $bulk_id The bulk id.
		 * @param object $message Its row: id, recipients, body, origin, line.
		 */
		do_action( 'peyk_sent', $bulk_id, $message );
	}

	/**
	 * The service did not take it, now or for good.
	 *
	 * @param object   $message Its row.
	 * @param WP_Error $error   Why.
	 */
	private static function failed( $message, WP_Error $error ) {
		$data    = $error->get_error_data();
		$code    = is_array( $data ) && isset( $data['code'] ) ? $data['code'] : 0;
		$passes  = 'peyk_unreachable' === $error->get_error_code() || in_array( $code, self::PASSING_CODES, true );
		$attempt = (int) $message->attempts - 1;
		$change  = array( 'error' => mb_substr( $error->get_error_message(), 0, 250 ) );
		if ( $message->may_retry && $passes && isset( self::PAUSES_SECONDS[ $attempt ] ) ) {
			$pause            = self::PAUSES_SECONDS[ $attempt ];
			$change['state']  = 'queued';
			$change['due_at'] = self::now( $pause );
			self::change( $message->id, $change );
			self::schedule( $message->id, $pause );
			return;
		}
		$change['state'] = 'failed';
		if ( $message->is_private ) {
			$change['body'] = '';
		}
		self::change( $message->id, $change );
		/**
		 * A message was given up.
		 *
		 * @param WP_Error $error   Why.
		 * @param object   $message Its row.
		 */
		do_action( 'peyk_failed', $error, $message );
	}

	/**
	 * Changes a row.
	 *
	 * @param int   $id     The row.
	 * @param array $change Columns.
	 */
	private static function change( $id, array $change ) {
		global $wpdb;
		$wpdb->update( self::table(), $change, array( 'id' => (int) $id ) );
	}

	/** Every hour: takes up what was left behind, and keeps the log short. */
	public static function sweep() {
		global $wpdb;
		$table = self::table();
		$late  = self::now( -self::ATTEMPT_SECONDS_MAX );
		// phpcs:disable WordPress.DB.PreparedSQL.InterpolatedNotPrepared
		// Whoever waited for a message that may not be repeated has long given up.
		$wpdb->query( $wpdb->prepare( "UPDATE $table SET state = 'failed', error = %s WHERE state = 'sending' AND claimed_at < %s AND may_retry = 0", __( 'The attempt did not end.', 'peyk' ), $late ) );
		$wpdb->query( $wpdb->prepare( "UPDATE $table SET state = 'queued', due_at = %s WHERE state = 'sending' AND claimed_at < %s", $late, $late ) );
		// After a day the service no longer knows the key, so that a further attempt could send twice.
		$wpdb->query( $wpdb->prepare( "UPDATE $table SET state = 'failed', error = %s WHERE state = 'queued' AND attempts > 0 AND created_at < %s", __( 'It could not be sent within a day.', 'peyk' ), self::now( -23 * HOUR_IN_SECONDS ) ) );
		$left = $wpdb->get_col( $wpdb->prepare( "SELECT id FROM $table WHERE state = 'queued' AND due_at <= %s ORDER BY id LIMIT 100", $late ) );
		foreach ( $left as $id ) {
			self::change( $id, array( 'due_at' => self::now() ) );
			self::schedule( (int) $id );
		}
		$oldest = $wpdb->get_var( $wpdb->prepare( "SELECT id FROM $table WHERE state IN ('sent', 'failed') ORDER BY id DESC LIMIT 1 OFFSET %d", self::ROWS_MAX ) );
		if ( null !== $oldest ) {
			$wpdb->query( $wpdb->prepare( "DELETE FROM $table WHERE state IN ('sent', 'failed') AND id <= %d", $oldest ) );
		}
		// phpcs:enable
	}

	/**
	 * The last messages, newest first.
	 *
	 * @param int $limit  Rows.
	 * @param int $offset Rows before them.
	 */
	public static function latest( $limit, $offset = 0 ) {
		global $wpdb;
		$query = 'SELECT * FROM ' . self::table() . ' ORDER BY id DESC LIMIT %d OFFSET %d';
		return $wpdb->get_results( $wpdb->prepare( $query, $limit, $offset ) ); // phpcs:ignore WordPress.DB.PreparedSQL.NotPrepared
	}

	/** How many rows there are. */
	public static function count() {
		global $wpdb;
		return (int) $wpdb->get_var( 'SELECT COUNT(*) FROM ' . self::table() ); // phpcs:ignore WordPress.DB.PreparedSQL.NotPrepared
	}

	/**
	 * Writes to the log of PHP what nobody else would hear of. Never a text or a number.
	 *
	 * @param string $what What went wrong.
	 */
	public static function complain( $what ) {
		error_log( 'peyk: ' . $what ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions.error_log_error_log
	}

	/**
	 * The time in UTC, as the table has it.
	 *
	 * @param int $later Seconds from now.
	 */
	private static function now( $later = 0 ) {
		return gmdate( 'Y-m-d H:i:s', time() + $later );
	}
}
