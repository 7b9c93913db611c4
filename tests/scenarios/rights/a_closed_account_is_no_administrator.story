# An administrator whose account is closed does not count as one who stays.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
When Diane makes Anna an administrator of Forges
When the account of Diane is closed
When Anna makes Anna a user of Forges -> LastAdministrator
Then Diane may not use meters: ended
